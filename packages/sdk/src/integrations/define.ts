// Room: integrations. An integration made of any vendor's own SDK: `io.<key>.runTask(key, (client, task) => …)`. Public as `defineIntegration`.
// Promises: the client is made once an execution, when a task first needs it; a recorded task calls nothing; a failed call is judged by the service's rules.
import { UserFacingError } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { ConnectionAuth, IO, TriggerIntegration } from "../io/io.ts";
import type { IOTask, RetryOptions, RunTaskErrorCallback, RunTaskOptions } from "../io/task.ts";
import { ErrorWithTask } from "../replay/errors.ts";
import type { CacheKey } from "../replay/key.ts";
import { retry } from "../replay/retry.ts";
import { readFailure } from "./failure.ts";
import { type FailureRule, verdictOn } from "./rules.ts";
import { VENDORS, type Vendor, type VendorId } from "./vendors.ts";

export interface IntegrationOptions<TClient> {
  /** Names it in the dashboard and for `client.defineAuthResolver`. That of a known service (`"openai"`) brings its rules and its icon. */
  id: string;
  /** The known service, where `id` is another: `{ id: "openai-eu", vendor: "openai" }`. */
  vendor?: VendorId | undefined;
  /** Shown in the dashboard. Default: the service's. */
  name?: string | undefined;
  icon?: string | undefined;
  /**
   * Makes the service's client; called when a task first needs it, at most once an execution.
   *
   * @param auth what a resolver gave for the run's account, or what the server keeps; undefined without either
   */
  client: (auth: ConnectionAuth | undefined) => TClient;
  /** `HOSTED`: credentials come of a resolver, or the server keeps them and runs wait until it does. Default `LOCAL`: they are in code. */
  authSource?: "LOCAL" | "HOSTED" | undefined;
  /** Pauses between tries where the service does not say when, and how many tries. Default: the service's. */
  retry?: RetryOptions | undefined;
  /** Rules of your own; they come before the service's. */
  rules?: readonly FailureRule[] | undefined;
  /** For an SDK that throws nothing: the field of its results that holds an error. Default: the service's; "" for none. */
  errorField?: string | undefined;
}

/** The most tries of a call that the service goes on putting off. */
const MOST_TRIES = 50;

/** As `io.<key>` in a run; made by {@link defineIntegration}. */
export class Integration<TClient> implements TriggerIntegration {
  readonly id: string;
  readonly metadata: { id: string; name: string };
  readonly authSource: "LOCAL" | "HOSTED";
  readonly #options: IntegrationOptions<TClient>;
  readonly #vendor: Vendor;
  readonly #icon: string;
  #io: IO | undefined;
  #connectionKey: string | undefined;
  #auth: ConnectionAuth | undefined;
  #client: { made: TClient } | undefined;
  /** What making the client threw: no matter of time. */
  #refusal: unknown;

  constructor(options: IntegrationOptions<TClient>) {
    const vendor = vendorOf(options);
    this.id = options.id;
    this.#vendor = (vendor && VENDORS[vendor]) ?? { name: options.id, rules: [] };
    this.#icon = options.icon ?? vendor ?? options.id;
    this.metadata = { id: vendor ?? options.id, name: options.name ?? this.#vendor.name };
    this.authSource = options.authSource ?? "LOCAL";
    this.#options = options;
  }

  /** Called for each execution. */
  cloneForRun(io: IO, connectionKey: string, auth?: ConnectionAuth): Integration<TClient> {
    const clone = new Integration(this.#options);
    clone.#io = io;
    clone.#connectionKey = connectionKey;
    clone.#auth = auth;
    return clone;
  }

  /**
   * Calls the service once, records what it answered, and gives the recorded answer on every later execution. A call that failed is tried again as the
   * service asks, or fails the task at once. The answer travels as JSON: dates in it come back as texts, methods do not.
   *
   * @param callback gets the client, and the task, whose `idempotencyKey` is for services that take one
   * @param options as of `io.runTask`; `retry` replaces the integration's
   * @param onError looks at a failure before the service's rules do; what it leaves undecided they decide
   * @throws the error of the last try
   * @example const mail = await io.resend.runTask("welcome", (resend) => resend.emails.send(letter), { name: "Send mail" });
   */
  runTask<T>(
    cacheKey: CacheKey,
    callback: (client: TClient, task: IOTask, io: IO) => Promise<T>,
    options: RunTaskOptions & { parseOutput?: (output: unknown) => T } = {},
    onError?: RunTaskErrorCallback,
  ): Promise<T> {
    if (!this.#io) {
      throw new UserFacingError(
        "BAD_REQUEST",
        `The integration "${this.id}" was used outside of a run.`,
        "Name it in the job's `integrations`, and call `io.<key>.runTask`.",
      );
    }
    const call = async (task: IOTask, io: IO): Promise<T> => this.#checked(await callback(this.#open(), task, io));
    const { retry: own = this.#options.retry ?? this.#vendor.retry ?? retry.standardBackoff, ...shown } = options;
    const all = { icon: this.#icon, ...shown, retry: own, connectionKey: this.#connectionKey };
    return this.#io.runTask<Anything>(cacheKey, call, all, async (error, task, io) => {
      return (await onError?.(error, task, io)) ?? this.#judge(error, task);
    });
  }

  #open(): TClient {
    try {
      this.#client ??= { made: this.#options.client(this.#auth) };
      return this.#client.made;
    } catch (error) {
      this.#refusal = error;
      throw error;
    }
  }

  /** Throws what an SDK that throws nothing gave back as an error. */
  #checked<T>(result: T): T {
    const field = this.#options.errorField ?? this.#vendor.errorField;
    const given = field ? (result as Record<string, Anything> | null | undefined) : undefined;
    const error = given?.[field as string];
    if (error === undefined || error === null) return result;
    const { message, name = "Error", ...rest } = typeof error === "object" ? error : { message: String(error) };
    const { status, headers } = given as { status?: unknown; headers?: unknown };
    throw Object.assign(new Error(message), { status, headers }, rest, { name, cause: error });
  }

  #judge(error: unknown, task: IOTask): Awaited<ReturnType<RunTaskErrorCallback>> {
    // A task within this one was judged already.
    if (error instanceof ErrorWithTask) return undefined;
    if (error === this.#refusal && this.#client === undefined) return { skipRetrying: true };
    const verdict = verdictOn(readFailure(error), [...(this.#options.rules ?? []), ...this.#vendor.rules]);
    if (verdict === "backoff") return undefined;
    if (verdict === "fail" || task.attempts >= MOST_TRIES) return { skipRetrying: true };
    if ("at" in verdict) return { retryAt: verdict.at };
    return { retryInMs: verdict.inMs + spread(verdict.inMs, task.idempotencyKey) };
  }
}

/** Up to a tenth of the wait, at most five seconds, another for each task: runs that were put off together do not come back together. */
function spread(inMs: number, key: string): number {
  const mixed = [...key].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 1000, 7);
  return Math.floor((Math.min(inMs / 10, 5000) * mixed) / 1000);
}

function vendorOf({ id, vendor }: IntegrationOptions<Anything>): VendorId | undefined {
  if (vendor !== undefined && !Object.hasOwn(VENDORS, vendor)) {
    const known = Object.keys(VENDORS).join(", ");
    throw new UserFacingError(
      "BAD_REQUEST",
      `"${vendor}" is no vendor we have rules for.`,
      `Leave it out, or take one of: ${known}.`,
    );
  }
  return vendor ?? (Object.hasOwn(VENDORS, id) ? (id as VendorId) : undefined);
}

/**
 * Makes an integration of any vendor's own SDK, with that vendor's retry and rate-limit behaviour where we know it: airtable, github, linear, openai, plain,
 * replicate, resend, sendgrid, shopify, slack, stripe, supabase and typeform.
 *
 * @throws BAD_REQUEST for a `vendor` that is none of these
 * @example
 * const openai = defineIntegration({ id: "openai", client: (auth) => new OpenAI({ apiKey: auth?.accessToken ?? key, maxRetries: 0 }) });
 * client.defineJob({
 *   id: "answer", name: "Answer", version: "1.0.0", trigger: eventTrigger({ name: "question.asked" }), integrations: { openai },
 *   run: async ({ input }, io) => io.openai.runTask("ask", (ai) => ai.responses.create({ model: "gpt-5", input }), { name: "Ask" }),
 * });
 */
export function defineIntegration<TClient>(options: IntegrationOptions<TClient>): Integration<TClient> {
  return new Integration(options);
}
