// What runs tell people about how far they are: `io.createStatus`, and who reads it.
// Source: `@trigger.dev/core@2.3.19` as published; wire §2.9.
import { z } from "zod";

/** What is left out stays as it was. Of a status that is new, the label is its key. */
export const runStatusBodySchema = z.object({
  label: z.string().optional(),
  state: z.enum(["loading", "success", "failure"]).optional(),
  /** Any JSON; v2 types it so. */
  data: z.record(z.string(), z.any()).optional(),
});
export type RunStatusUpdate = z.infer<typeof runStatusBodySchema>;

/** A status as it is, and as it was before, oldest first. */
export type StatusRecord = {
  key: string;
  label: string;
  state?: "loading" | "success" | "failure";
  data?: RunStatusUpdate["data"];
  history: RunStatusUpdate[];
};
