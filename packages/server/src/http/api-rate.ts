// Room: http. How often programs may call the API: a bucket of requests for each environment, in this server. Asked by app.ts once a caller is let in; off unless
// the settings name a rate. Promises: what finishes work that was begun is counted but never refused, so that no step is done again for it; the published
// SDK ends an execution cleanly when it is refused, and is called again at `x-ratelimit-reset` (wire §2.2, §2.13).
import { UserFacingError } from "@holdfast/protocol";
import { TokenBucket } from "../ingest/token-bucket.ts";
import type { Caller } from "./call.ts";
import type { Route } from "./route.ts";

export interface ApiRate {
  perSecond: number;
  /** How many at once, after a pause. */
  burst: number;
}

/** The share of its burst an environment has again when it may come back: a run needs several requests to get on. */
const SHARE = 0.1;
const SHORTEST_MS = 1000;
const LONGEST_MS = 60_000;

export class ApiRates {
  readonly #buckets = new Map<string, TokenBucket>();

  /** @param rate null: no limit @param now epoch milliseconds */
  constructor(
    private readonly rate: ApiRate | null,
    private readonly now: () => number,
  ) {}

  /**
   * Counts a request, and tells the headers of its answer.
   *
   * @throws TooOften when there are none left
   */
  admit(route: Pick<Route, "neverRefused">, { environment, by }: Caller): Record<string, string> {
    const { rate } = this;
    if (!rate || !environment || by === "session") return {};
    const bucket = this.#bucketOf(environment.id, rate);
    const taken = bucket.take();
    const headers = this.#headers(bucket, rate);
    if (!taken && !route.neverRefused) throw new TooOften(rate, headers, this.#pauseMs(rate));
    return headers;
  }

  #bucketOf(environment: string, rate: ApiRate): TokenBucket {
    const bucket = this.#buckets.get(environment) ?? new TokenBucket(this.now, rate);
    this.#buckets.set(environment, bucket);
    return bucket;
  }

  #headers(bucket: TokenBucket, rate: ApiRate): Record<string, string> {
    return {
      "x-ratelimit-limit": String(rate.burst),
      "x-ratelimit-remaining": String(bucket.left),
      "x-ratelimit-reset": String(Math.ceil(this.now() + this.#pauseMs(rate))),
    };
  }

  #pauseMs({ perSecond, burst }: ApiRate): number {
    return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ((burst * SHARE) / perSecond) * 1000));
  }
}

/** Refused for now; its headers tell until when. */
export class TooOften extends UserFacingError {
  readonly headers: Readonly<Record<string, string>>;

  constructor(rate: ApiRate, headers: Record<string, string>, pauseMs: number) {
    const message = `This environment may make ${rate.perSecond} requests a second, and ${rate.burst} at once.`;
    super("TOO_MANY_REQUESTS", message, "Try again at x-ratelimit-reset, or set HOLDFAST_API_RATE_LIMIT to more.");
    this.headers = { ...headers, "retry-after": String(Math.ceil(pauseMs / 1000)) };
  }
}
