// Room: io. A status that a run shows to people while it goes on: the page of your app reads it with the public key. Made by `io.createStatus`.
import type { RunStatusUpdate, StatusRecord } from "@holdfast/protocol";
import type { ApiClient } from "../client/api.ts";
import type { Execution } from "../replay/execution.ts";
import type { CacheKey } from "../replay/key.ts";
import { THROUGH_OUTAGES } from "./outage.ts";
import { propertiesOf } from "./outside.ts";

/** What people see: a label, whether it is under way or how it ended, and any data of yours. What is left out stays as it was. */
export type StatusUpdate = RunStatusUpdate;
/** The first of it. */
export type InitialStatusUpdate = StatusUpdate & { label: string };

/**
 * A status of a run.
 *
 * @example
 * const images = await io.createStatus("images", { label: "Drawing", state: "loading", data: { done: 0 } });
 * await images.update("drawn", { label: "Drawn", state: "success", data: { done: 4 } });
 */
export class TriggerStatus {
  readonly #id: string;
  readonly #execution: Execution;
  readonly #api: ApiClient;

  constructor(id: string, execution: Execution, api: ApiClient) {
    this.#id = id;
    this.#execution = execution;
    this.#api = api;
  }

  /** Changes what is given, as a task; what the status was joins its history. @param key of the task, stable and unique in the run */
  update(key: CacheKey, status: StatusUpdate): Promise<StatusRecord> {
    return this.#execution.runTask<StatusRecord>(key, {
      callback: () => this.#api.updateStatus(this.#execution.start.run.id, this.#id, status),
      options: {
        name: status.label ?? "Status update",
        icon: "bell",
        params: { ...status },
        properties: propertiesOf({ Label: status.label || undefined, State: status.state }),
        retry: THROUGH_OUTAGES.retry,
      },
      onError: THROUGH_OUTAGES.onError,
    });
  }
}
