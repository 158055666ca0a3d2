// Credentials as v2 hands them to an integration, and the events that tell of those that are missing (wire §1.5, §2.11).
// Source: `@trigger.dev/core@2.3.19` as published.
import { z } from "zod";

/** What an integration is given to act with in one execution. A type, as v2's was, so that tasks may answer it: an interface counts as no JSON. */
export type ConnectionAuth = {
  type: "oauth2" | "apiKey";
  accessToken: string;
  scopes?: string[] | undefined;
  additionalFields?: Record<string, string> | undefined;
};

/** A run needs a connection that is not there; sent once until it is connected again. */
export const MISSING_CONNECTION = "dev.trigger.notifications.missingConnection";
export const MISSING_CONNECTION_RESOLVED = "dev.trigger.notifications.missingConnectionResolved";

/** A token somebody got elsewhere, for an account of theirs. */
export const createConnectionBodySchema = z.object({
  accessToken: z.string().min(1).max(16_384),
  type: z.literal("oauth2"),
  scopes: z.array(z.string().max(500)).max(200).optional(),
  metadata: z.unknown().optional(),
});
