// Room deliveries: a verdict in plain sentences: what it means and what to do about it. Pure; called by DeliveryPage and tested.
import type { DeliveryDetail } from "@holdfast/protocol";

export interface Explanation {
  means: string;
  next: string | null;
}

const KNOWN: [RegExp, Explanation][] = [
  [
    /missing|no .*header|unsigned/i,
    {
      means: "The request carries no signature, so nothing proves who sent it.",
      next: "If the provider sent it, switch on signing there. Proxies that drop unknown headers cause this too.",
    },
  ],
  [
    /timestamp|too old|too new|stale|tolerance|expired/i,
    {
      means: "The signature's own time is too far from now, so it could be an old request sent again.",
      next: "Check this machine's clock. A request that waited in a queue longer than the tolerance must be sent again by the provider.",
    },
  ],
  [
    /no secret|secret .*not set|not configured/i,
    { means: "There is no signing secret to check against.", next: "Set the endpoint's secret, then replay this delivery." },
  ],
  [
    /unknown endpoint|no endpoint|not found/i,
    {
      means: "The address names no endpoint of this environment.",
      next: "Compare the URL at the provider with the one on the endpoint's page. The app may also not be connected yet.",
    },
  ],
  [
    /too large|limit|bomb|413/i,
    {
      means: "The body is larger than the server accepts; only its beginning was stored.",
      next: "Ask the provider for smaller messages, or raise the body limit.",
    },
  ],
  [
    /signature|verif|match|hmac|invalid/i,
    {
      means: "The signature does not fit the bytes that arrived.",
      next: "Either the secret is another endpoint's or another environment's, or something between the provider and us rewrote the body.",
    },
  ],
  [
    /unreachable|timed? ?out|refused connection/i,
    { means: "The app that holds verify() could not be asked.", next: "Bring the app up, then replay this delivery." },
  ],
];

export function explainVerdict(delivery: Pick<DeliveryDetail, "verdict" | "reason" | "runs" | "senderId">): Explanation {
  switch (delivery.verdict) {
    case "verified":
      return delivery.runs.length > 0
        ? { means: "The sender is who it claims to be; the request became an event.", next: null }
        : {
            means: "The sender is who it claims to be, but no job's filter matched.",
            next: "Compare the body with the filters of the jobs this endpoint feeds.",
          };
    case "pending":
      return { means: "The request is stored and acknowledged; verification comes next.", next: null };
    case "duplicate":
      return {
        means: `The sender's id ${delivery.senderId ?? ""} was received before, so no run was started.`,
        next: "Replay it if it should run anyway.",
      };
    case "refused":
      return (
        KNOWN.find(([pattern]) => pattern.test(delivery.reason ?? ""))?.[1] ?? {
          means: "The request was not accepted, so it started nothing.",
          next: "The reason above is what verify() or the server said.",
        }
      );
  }
}
