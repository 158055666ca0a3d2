// Room: io. Values that user code keeps on the server by key. `io.store` has one of these for each scope; `client.store.env` is the same outside runs.
// Promises: a value that was set is on disk. In a run each call is a task, shown as v2 shows it: what was read once stays the same on every replay.
import { UserFacingError } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { ApiClient } from "../client/api.ts";
import { Execution } from "../replay/execution.ts";
import type { CacheKey } from "../replay/key.ts";
import type { IO } from "./io.ts";
import { THROUGH_OUTAGES } from "./outage.ts";
import type { Json, RunTaskOptions } from "./task.ts";

/** Characters of a value's JSON text. */
const MOST_CHARACTERS = 256 * 1024;
const NEEDS_KEY = "Please provide a non-empty key when accessing the store from inside a run.";
const NO_CACHE_KEY = "Please use the store without a cacheKey when accessing from outside a run.";

interface Action {
  name: string;
  icon: string;
  /** How many arguments follow the cacheKey. */
  takes: 1 | 2;
  act: (api: ApiClient, key: string, value: unknown) => Promise<unknown>;
}
const GET: Action = { name: "Get", icon: "database-export", takes: 1, act: (api, key) => api.getValue(key) };
const HAS: Action = { name: "Has", icon: "database-search", takes: 1, act: (api, key) => api.hasValue(key) };
const DELETE: Action = { name: "Delete", icon: "database-minus", takes: 1, act: (api, key) => api.deleteValue(key) };
const SET: Action = {
  name: "Set",
  icon: "database-plus",
  takes: 2,
  act: (api, key, value) => api.setValue(key, checkedText(value)),
};

function checkedText(value: unknown): string | undefined {
  const text = JSON.stringify(value);
  if (text === undefined || text.length <= MOST_CHARACTERS) return text;
  const message = `A value of the store has at most ${MOST_CHARACTERS} characters of JSON; this one has ${text.length}.`;
  throw new UserFacingError("TOO_LARGE", message, "Keep large data elsewhere and store where it is.");
}

/**
 * Values by key: any JSON of at most 256 KiB, in one of three scopes. `env`: every job and app of the environment, and your backend. `job`: every run of the
 * job. `run`: this run; such values are forgotten when the run is.
 *
 * In a run, a `cacheKey` comes first, as with every task; outside there is none. A key that is not there is undefined. Nothing here locks:
 * of two runs that read, count and set, one may be lost.
 *
 * @throws TOO_LARGE for a value of more than 256 KiB, BAD_REQUEST for a key of more than 1024 bytes
 * @example
 * const seen = await io.store.job.get<number>("seen", "count");
 * await io.store.job.set("count", "count", (seen ?? 0) + 1);
 * await client.store.env.set("maintenance", true); // in your backend
 */
export class KeyValueStore {
  readonly #api: ApiClient;
  readonly #scope: "env" | "job" | "run";
  readonly #prefix: string;

  constructor(api: ApiClient, scope: "env" | "job" | "run" = "env", id = "") {
    this.#api = api;
    this.#scope = scope;
    this.#prefix = scope === "env" ? "" : `${scope}:${id}:`;
  }

  /** The value of a key, or undefined. */
  get<T extends Json<T> = Anything>(cacheKey: CacheKey, key: string): Promise<T | undefined>;
  get<T extends Json<T> = Anything>(key: string): Promise<T | undefined>;
  get(...given: unknown[]): Promise<Anything> {
    return this.#perform(GET, given);
  }

  /** Keeps a value and gives it back as it is kept: through JSON. Undefined is a value too; `has` then says true. */
  set<T extends Json<T>>(cacheKey: CacheKey, key: string, value: T): Promise<T>;
  set<T extends Json<T>>(key: string, value: T): Promise<T>;
  set(...given: unknown[]): Promise<Anything> {
    return this.#perform(SET, given);
  }

  /** Whether the key was set. */
  has(cacheKey: CacheKey, key: string): Promise<boolean>;
  has(key: string): Promise<boolean>;
  has(...given: unknown[]): Promise<Anything> {
    return this.#perform(HAS, given);
  }

  /** Forgets a key; tells whether it was there. */
  delete(cacheKey: CacheKey, key: string): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  delete(...given: unknown[]): Promise<Anything> {
    return this.#perform(DELETE, given);
  }

  async #perform(action: Action, given: unknown[]): Promise<unknown> {
    const io = Execution.currentIO();
    if (io) return this.#asTask(io, action, given);
    const [key, value] = given;
    if (typeof key !== "string" || given.length > action.takes) throw new UserFacingError("BAD_REQUEST", NO_CACHE_KEY);
    return action.act(this.#api, this.#prefix + key, value);
  }

  #asTask(io: IO, action: Action, given: unknown[]): Promise<unknown> {
    const [cacheKey, key, value] = given;
    // Counted: `set("key", "value")` would set the key "value".
    if (!key || typeof key !== "string" || given.length <= action.takes) {
      throw new UserFacingError("BAD_REQUEST", NEEDS_KEY, "In a run the task's cacheKey comes first, then the key.");
    }
    const act = () => action.act(this.#api, this.#prefix + key, value) as Promise<Anything>;
    const options = { ...this.#shown(action, key, value), retry: THROUGH_OUTAGES.retry };
    return io.runTask(cacheKey as CacheKey, act, options, THROUGH_OUTAGES.onError);
  }

  #shown(action: Action, key: string, value: unknown): RunTaskOptions {
    const plain = action === SET && (typeof value !== "object" || value === null);
    return {
      name: `Key-Value Store ${action.name}`,
      icon: action.icon,
      params: action === SET ? { key, value } : { key },
      properties: [
        { label: "namespace", text: this.#scope },
        { label: "key", text: key },
        ...(plain ? [{ label: "value", text: String(value) }] : []),
      ],
      style: { style: "minimal" },
    };
  }
}
