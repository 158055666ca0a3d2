// What an integration hands to io.runTask, and how it answers failures; over a server in tests/adapters/integrations.test.ts.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Anything } from "../anything.ts";
import type { IO } from "../io/io.ts";
import type { IOTask } from "../io/task.ts";
import { ErrorWithTask } from "../replay/errors.ts";
import { retry } from "../replay/retry.ts";
import { defineIntegration, type IntegrationOptions } from "./define.ts";

type Options = Partial<IntegrationOptions<string>> & { id: string };
const task = (attempts = 1, idempotencyKey = "key") => ({ attempts, idempotencyKey }) as IOTask;

/** What `io.runTask` is called with. */
function handed(options: Options, ...given: Anything[]): { options: Anything; onError: Anything; callback: Anything } {
  let seen: Anything;
  const io = {
    runTask: async (_key: string, callback: Anything, all: Anything, onError: Anything) =>
      (seen = { callback, options: all, onError }),
  };
  const integration = defineIntegration({ client: () => "client", ...options });
  void integration
    .cloneForRun(io as Anything as IO, "connection")
    .runTask("key", async () => ({ error: { message: "no", name: "x" } }), ...given);
  return seen;
}

const busy = { status: 429, headers: { "retry-after": "100" } };

describe("an integration's task", () => {
  it("is shown as its service's, with its service's pauses", () => {
    expect(handed({ id: "openai" }).options).toEqual({
      icon: "openai",
      connectionKey: "connection",
      retry: retry.exponentialBackoff,
    });
    expect(handed({ id: "mine", icon: "star" }).options).toMatchObject({ icon: "star", retry: retry.standardBackoff });
    expect(handed({ id: "eu", vendor: "stripe", retry: { limit: 2 } }).options).toMatchObject({
      icon: "stripe",
      retry: { limit: 2 },
    });
    const own = { retry: { limit: 3 }, icon: "moon", name: "Call" };
    expect(handed({ id: "openai" }, own).options).toMatchObject({ ...own, connectionKey: "connection" });
  });

  it("comes again when its service says, another task a little later, never earlier", async () => {
    const { onError } = handed({ id: "mine" });
    const waits = new Set<number>();
    await fc.assert(
      fc.asyncProperty(fc.string(), async (key) => {
        const { retryInMs } = await onError(busy, task(1, key));
        waits.add(retryInMs);
        return retryInMs >= 100_000 && retryInMs <= 105_000;
      }),
    );
    expect(waits.size).toBeGreaterThan(10);
  });

  it("is put off fifty times at most, and not again for what failed within it", async () => {
    const { onError } = handed({ id: "mine" });
    expect(await onError(busy, task(49))).toEqual({ retryInMs: expect.any(Number) });
    expect(await onError(busy, task(50))).toEqual({ skipRetrying: true });
    const within = new ErrorWithTask({ name: "inner", status: "ERRORED" } as IOTask, {
      message: "no",
      name: "rate_limit_exceeded",
    });
    expect(await onError(within, task())).toBeUndefined();
  });

  it("goes by its own rules first, and by what the program says before that", async () => {
    const rules = [{ status: [429], message: "never", do: "fail" as const }];
    const { onError } = handed({ id: "mine", rules });
    expect(await onError({ ...busy, message: "Never again" }, task())).toEqual({ skipRetrying: true });
    expect(await onError(busy, task())).toEqual({ retryInMs: expect.any(Number) });
    const said = handed({ id: "mine", rules }, {}, (error: Anything) => (error.mine ? { retryInMs: 1 } : undefined)).onError;
    expect(await said({ ...busy, mine: true }, task())).toEqual({ retryInMs: 1 });
    expect(await said({ status: 404 }, task())).toEqual({ skipRetrying: true });
  });

  it("throws errors that are given back, where its service's SDK gives them back", async () => {
    await expect(handed({ id: "resend" }).callback(task(), {})).rejects.toMatchObject({ name: "x", message: "no" });
    expect(await handed({ id: "mine" }).callback(task(), {})).toEqual({ error: { message: "no", name: "x" } });
    expect(await handed({ id: "resend", errorField: "" }).callback(task(), {})).toMatchObject({ error: {} });
  });
});
