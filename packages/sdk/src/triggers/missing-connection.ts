// Room: triggers. v2's triggers for connections that are missing. They exist so that apps which use them load: credentials live in apps here, or are found by resolvers, so no
// connection the server keeps can be missing, and they never fire.
import type { JobMetadata } from "@holdfast/protocol";
import type { Anything } from "../anything.ts";
import type { TriggerIntegration } from "../io/io.ts";
import { DEFAULT_SOURCE } from "./event-trigger.ts";
import type { EventSpecification, Trigger, VerifyResult } from "./trigger.ts";

class ConnectionTrigger implements Trigger<EventSpecification<Anything>> {
  readonly event: EventSpecification<Anything>;
  readonly preprocessRuns = false;
  readonly #integrations: readonly TriggerIntegration[];

  constructor(name: string, title: string, integrations: readonly TriggerIntegration[]) {
    const parsePayload = (payload: unknown) => payload as Anything;
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

/** @deprecated Never fires: see `client.defineAuthResolver` and the run status UNRESOLVED_AUTH. */
export class MissingConnectionNotification extends ConnectionTrigger {
  constructor({ integrations }: { integrations: TriggerIntegration[] }) {
    super("dev.trigger.notifications.missingConnection", "Missing Connection Notification", integrations);
  }
}
/** @deprecated Never fires. */
export class MissingConnectionResolvedNotification extends ConnectionTrigger {
  constructor({ integrations }: { integrations: TriggerIntegration[] }) {
    super("dev.trigger.notifications.missingConnectionResolved", "Missing Connection Resolved Notification", integrations);
  }
}
/** @deprecated Never fires. */
export function missingConnectionNotification(integrations: TriggerIntegration[]): MissingConnectionNotification {
  return new MissingConnectionNotification({ integrations });
}
/** @deprecated Never fires. */
export function missingConnectionResolvedNotification(integrations: TriggerIntegration[]): MissingConnectionResolvedNotification {
  return new MissingConnectionResolvedNotification({ integrations });
}
