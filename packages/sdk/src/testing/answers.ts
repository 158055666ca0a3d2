// Room: testing. What comes from outside of a run, from what a test says of it: an event needs only its payload, an invoked run only its output.
// Called for mocked tasks and by TestRun.complete. `now` in epoch milliseconds.
import { UserFacingError } from "@holdfast/protocol";
import { reviveEvent } from "../io/outside.ts";
import { reviveNotification } from "../jobs/notification.ts";
import { shown } from "./options.ts";

/** A run somebody waited for. */
function notificationOf(given: Record<string, unknown>, timestamp: string): Record<string, unknown> {
  const ok = given.ok ?? !("error" in given);
  const tenant = { id: "test", slug: "test" };
  return {
    id: "run_invoked",
    ok,
    status: ok ? "SUCCESS" : "FAILURE",
    startedAt: null,
    updatedAt: null,
    completedAt: null,
    isTest: true,
    executionDurationInMs: 0,
    executionCount: 1,
    job: { id: "invoked", version: "1.0.0" },
    statuses: [],
    environment: { ...tenant, type: "DEVELOPMENT" },
    organization: { ...tenant, title: "Test" },
    project: { ...tenant, name: "Test" },
    invocation: { id: "evt_invoked", context: {}, timestamp, payload: {} },
    ...given,
  };
}

function eventOf(given: Record<string, unknown>, timestamp: string): Record<string, unknown> {
  return { id: "evt_awaited", name: "event", source: "trigger.dev", payload: {}, timestamp, ...given };
}

/** Nothing at all is an event without a payload, or a run without an output. */
function fieldsOf(given: unknown, what: string, example: string): Record<string, unknown> {
  if (given === undefined || (typeof given === "object" && given !== null && !Array.isArray(given))) return { ...given };
  const hint = `Give an object: ${example}.`;
  throw new UserFacingError("BAD_REQUEST", `The task waits for ${what}, which ${shown(given)} is not.`, hint);
}

/** What is read as an event or as a run's end is completed to one; anything else stays as it is. */
export function fittingOutput(given: unknown, parseOutput: unknown, now: number): unknown {
  const at = new Date(now).toISOString();
  if (parseOutput === reviveEvent) return eventOf(fieldsOf(given, "an event", "{ payload: { paid: true } }"), at);
  if (parseOutput === reviveNotification)
    return notificationOf(fieldsOf(given, "the end of a run", "{ output: 1 } or { error }"), at);
  return given;
}
