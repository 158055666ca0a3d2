// Room: views. What runs tell people about how far they are, as the wire and notifications show it (wire §2.9): what was never set is absent, not null.
import type { StatusRecord } from "@holdfast/protocol";
import type { StatusRow } from "../store/kept-rows.ts";
import type { Store } from "../store/store.ts";
import { parsed } from "./reader.ts";

/** In the order they were created. */
export async function statusesOf(store: Store, runId: string): Promise<StatusRecord[]> {
  return (await store.statuses.of(runId)).map(shown);
}

/** Undefined: the run never set it. */
export async function statusOfKey(store: Store, runId: string, key: string): Promise<StatusRecord | undefined> {
  return (await statusesOf(store, runId)).find((status) => status.key === key);
}

function shown({ key, label, state, dataText, historyText }: StatusRow): StatusRecord {
  return {
    key,
    label,
    ...(state === null ? {} : { state: state as NonNullable<StatusRecord["state"]> }),
    ...(dataText === null ? {} : { data: parsed(dataText) as NonNullable<StatusRecord["data"]> }),
    history: parsed(historyText) as StatusRecord["history"],
  };
}
