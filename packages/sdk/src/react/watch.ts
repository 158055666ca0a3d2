// Room: react. What hooks look at: one address of the server, watched as long as anybody looks, over one stream or by asking again. Called by index.ts.
// Promises: what is over is asked for no more; what fails, or is not there yet, is tried again, after longer and longer pauses; what was refused, when
// somebody looks anew.

/** What a hook gives, with the names of v2 (TanStack Query's). */
export interface Watched<T> {
  data: T | undefined;
  error: Error | null;
  status: "pending" | "error" | "success";
  fetchStatus: "fetching" | "idle";
  isPending: boolean;
  isLoading: boolean;
  isFetching: boolean;
  isSuccess: boolean;
  isError: boolean;
}

export interface Address<T> {
  url: string;
  publicApiKey: string;
  /** Nothing more is to come after this one. */
  isOver(value: T): boolean;
  /** Milliseconds until it is asked again; null: it is a stream of server-sent events. */
  everyMs: number | null;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
/** A stream says at least every 15 s that it is still there; one that does not is dead, though nobody has closed it. */
const SILENT_MS = 45_000;

export class Watch<T> {
  #now: Watched<T> = told<T>({ data: undefined, error: null, fetching: true });
  readonly #lookers = new Set<() => void>();
  #stop: AbortController | null = null;
  /** How many values came. */
  #taken = 0;

  constructor(private readonly address: Address<T>) {}

  readonly current = (): Watched<T> => this.#now;

  /** Looks from now on; the returned function looks away. */
  readonly subscribe = (looker: () => void): (() => void) => {
    const isAnew = this.#lookers.size === 0 && this.#now.isError;
    this.#lookers.add(looker);
    if (!this.#stop && (isAnew || this.#now.fetchStatus === "fetching")) {
      this.#stop = new AbortController();
      void this.#watch(this.#stop.signal);
    }
    return () => {
      this.#lookers.delete(looker);
      if (this.#lookers.size > 0) return;
      this.#stop?.abort();
      this.#stop = null;
    };
  };

  async #watch(signal: AbortSignal): Promise<void> {
    for (let failures = 0; !signal.aborted; ) {
      const before = this.#taken;
      try {
        const value = await this.#once(signal);
        failures = 0;
        if (value !== undefined && this.address.isOver(value)) return this.#tell({ data: value, error: null, fetching: false });
        // A stream that ended before its run did was cut off on the way.
        await pause(this.address.everyMs ?? FIRST_PAUSE_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        // Pages may know of a run before the server does; one that was there and is gone stays away.
        const refused = error instanceof Refused && !(error.status === 404 && this.#taken === 0);
        this.#tell({ data: this.#now.data, error: error as Error, fetching: !refused });
        if (refused) return;
        // One that was heard of before it broke off is a first failure.
        if (this.#taken > before) failures = 0;
        await pause(Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++), signal);
      }
    }
  }

  /** Asks once: the last value that came. */
  async #once(signal: AbortSignal): Promise<T | undefined> {
    const { url, publicApiKey, everyMs } = this.address;
    const silence = new AbortController();
    const headers = { authorization: `Bearer ${publicApiKey}` };
    const heard = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(new Error("The server has fallen silent.")), SILENT_MS);
    };
    let timer = setTimeout(() => {}, 0);
    const leave = () => silence.abort();
    signal.addEventListener("abort", leave);
    try {
      heard();
      const response = await fetch(url, { headers, cache: "no-store", signal: silence.signal });
      if (!response.ok) throw await refusal(response);
      if (everyMs !== null) return this.#took((await response.json()) as T);
      let last: T | undefined;
      for await (const value of events(response, heard)) last = this.#took(value as T);
      return last;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", leave);
    }
  }

  #took(value: T): T {
    this.#taken += 1;
    this.#tell({ data: value, error: null, fetching: true });
    return value;
  }

  #tell(now: Parameters<typeof told<T>>[0]): void {
    this.#now = told(now);
    for (const looker of this.#lookers) looker();
  }
}

function told<T>({ data, error, fetching }: { data: T | undefined; error: Error | null; fetching: boolean }): Watched<T> {
  const status = error ? "error" : data === undefined ? "pending" : "success";
  return {
    data,
    error,
    status,
    fetchStatus: fetching ? "fetching" : "idle",
    isPending: status === "pending",
    isLoading: status === "pending" && fetching,
    isFetching: fetching,
    isSuccess: status === "success",
    isError: status === "error",
  };
}

/** The server will say the same next time. */
class Refused extends Error {
  override readonly name = "Refused";

  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

async function refusal(response: Response): Promise<Error> {
  const body = (await response.json().catch(() => ({}))) as { message?: string };
  const message = body.message ?? `The server answered ${response.status}.`;
  const mayPass = response.status >= 500 || response.status === 429;
  return mayPass ? new Error(message) : new Refused(message, response.status);
}

/** The data of server-sent events, parsed. @param heard called for whatever comes */
async function* events(response: Response, heard: () => void): AsyncGenerator<unknown> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { value: undefined, done: true };
    if (done) return;
    heard();
    text += value;
    const parts = text.split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) if (part.startsWith("data: ")) yield JSON.parse(part.slice("data: ".length));
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
