// Room: ingest. A token bucket: at most so many at once, and so many a second in the long run. Called by receive (records of requests to nowhere)
// and by http (login attempts, calls of the API). Holds two numbers; takes the clock as a parameter.

export class TokenBucket {
  #tokens: number;
  #at: number;

  /** @param now epoch milliseconds */
  constructor(
    private readonly now: () => number,
    private readonly rate: { burst: number; perSecond: number },
  ) {
    this.#tokens = rate.burst;
    this.#at = now();
  }

  /** Takes a token; false when there is none left. */
  take(): boolean {
    const at = this.now();
    const gained = (Math.max(0, at - this.#at) / 1000) * this.rate.perSecond;
    this.#tokens = Math.min(this.rate.burst, this.#tokens + gained);
    this.#at = at;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Whole tokens left at the last take. */
  get left(): number {
    return Math.floor(this.#tokens);
  }

  /** Seconds until the next token, at least 1. */
  get retryAfter(): number {
    return Math.max(1, Math.ceil((1 - this.#tokens) / this.rate.perSecond));
  }
}
