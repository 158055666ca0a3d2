// Room: triggers. v2's triggers for connections that the server should keep and does not have: a run waits for one, and somebody has connected it. The payloads are
// v2's (wire §4.10).
import { type JobMetadata, MISSING_CONNECTION, MISSING_CONNECTION_RESOLVED } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { TriggerIntegration } from "../io/io.ts";
import { DEFAULT_SOURCE } from "./event-trigger.ts";
import type { EventSpecification, Trigger, VerifyResult } from "./trigger.ts";

/** Whose connection: the developer's own, or an account's. */
export type ConnectionHolder = { type: "DEVELOPER" } | { type: "EXTERNAL"; account: { id: string; metadata?: Anything } };
interface ConnectionClient {
  /** The id of the integration. */
  id: string;
  title: string;
  scopes: string[];
  createdAt: Date;
  updatedAt: Date;
}
/** What a job hears of a missing connection. `authorizationUrl`: where it can be connected. */
export type MissingConnectionPayload = ConnectionHolder & { id: string; client: ConnectionClient; authorizationUrl: string };
/** What a job hears once it is there. `expiresAt`: when its token ends, which it is refreshed before; the year 9999 if never. */
export type MissingConnectionResolvedPayload = ConnectionHolder & {
  id: string;
  client: ConnectionClient & { integrationIdentifier: string; integrationAuthMethod: string };
  expiresAt: Date;
};

class ConnectionTrigger<Payload> implements Trigger<EventSpecification<Payload>> {
  readonly event: EventSpecification<Payload>;
  readonly preprocessRuns = false;
  readonly #integrations: readonly TriggerIntegration[];

  constructor(name: string, title: string, integrations: readonly TriggerIntegration[]) {
    const parsePayload = (payload: unknown) => withDates(payload) as Payload;
    this.event = { name, title, source: DEFAULT_SOURCE, icon: "connection-alert", parsePayload };
    this.#integrations = integrations;
  }

  toJSON(): JobMetadata["trigger"] {
    const { name, source, title } = this.event;
    const payload = { client: { id: this.#integrations.map(({ id }) => id) } };
    return { type: "static", title, rule: { event: name, source, payload } };
  }
  attachToJob(): void {}
  async verifyPayload(): Promise<VerifyResult> {
    return { success: true };
  }
}

const DATES = new Set(["createdAt", "updatedAt", "expiresAt"]);

function withDates(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const revive = ([key, inner]: [string, unknown]) => [key, DATES.has(key) ? new Date(String(inner)) : withDates(inner)];
  return Object.fromEntries(Object.entries(value).map(revive));
}

export class MissingConnectionNotification extends ConnectionTrigger<MissingConnectionPayload> {
  constructor({ integrations }: { integrations: TriggerIntegration[] }) {
    super(MISSING_CONNECTION, "Missing Connection Notification", integrations);
  }
}
export class MissingConnectionResolvedNotification extends ConnectionTrigger<MissingConnectionResolvedPayload> {
  constructor({ integrations }: { integrations: TriggerIntegration[] }) {
    super(MISSING_CONNECTION_RESOLVED, "Missing Connection Resolved Notification", integrations);
  }
}

/**
 * Starts a job when a run first waits for a connection of one of these integrations; once until it is connected again.
 *
 * @example client.defineJob({ id: "ask", name: "Ask", version: "1.0.0", trigger: missingConnectionNotification([slack]), run: (payload) => mail(payload.authorizationUrl) });
 */
export function missingConnectionNotification(integrations: TriggerIntegration[]): MissingConnectionNotification {
  return new MissingConnectionNotification({ integrations });
}
/** Starts a job when a connection that was missing is there. */
export function missingConnectionResolvedNotification(integrations: TriggerIntegration[]): MissingConnectionResolvedNotification {
  return new MissingConnectionResolvedNotification({ integrations });
}
