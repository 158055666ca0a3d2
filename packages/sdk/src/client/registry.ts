// Room: client. Every client made in this process, where `holdfast dev` finds those that nobody serves. Shared by all copies of the SDK.
import type { TriggerClient } from "./client.ts";

const KEY = Symbol.for("holdfast.clients");

export function register(client: TriggerClient): void {
  const shared = globalThis as unknown as Record<symbol, Set<TriggerClient> | undefined>;
  shared[KEY] ??= new Set();
  shared[KEY].add(client);
}
