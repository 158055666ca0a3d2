// Room: store. The statuses runs set for people to see, in memory. Part of MemoryStore.

import type { StatusChange, StatusRow, StatusStore } from "../kept-rows.ts";
import { storableStatus } from "../storable.ts";

export class MemoryStatuses implements StatusStore {
  /** By run, then by key, in the order they were created. */
  readonly #statuses = new Map<string, Map<string, StatusRow>>();

  async save(runId: string, change: StatusChange): Promise<void> {
    const { key, label, state, dataText } = storableStatus(change);
    const statuses = this.#statuses.get(runId) ?? new Map<string, StatusRow>();
    this.#statuses.set(runId, statuses);
    const known = statuses.get(key);
    if (!known) return void statuses.set(key, { key, label: label ?? key, state, dataText, historyText: "[]" });
    const next = { label: label ?? known.label, state: state ?? known.state, dataText: dataText ?? known.dataText };
    if (next.label === known.label && next.state === known.state && next.dataText === known.dataText) return;
    statuses.set(key, { key, ...next, historyText: withFormer(known) });
  }

  async of(runId: string): Promise<StatusRow[]> {
    return [...(this.#statuses.get(runId)?.values() ?? [])];
  }
}

/** JSON text put together, never parsed: what was set stays byte for byte what it was. */
function withFormer({ label, state, dataText, historyText }: StatusRow): string {
  const fields = [`"label":${JSON.stringify(label)}`];
  if (state !== null) fields.push(`"state":${JSON.stringify(state)}`);
  if (dataText !== null) fields.push(`"data":${dataText}`);
  return `${historyText.slice(0, -1)}${historyText === "[]" ? "" : ","}{${fields.join(",")}}]`;
}
