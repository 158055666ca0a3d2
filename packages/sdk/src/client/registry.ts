// Room: client. Every client made in this process, where `holdfast dev` finds those that nobody serves. Shared by all copies of the SDK.
// And the app behind each client, for `@holdfast/sdk/testing`.
import type { App } from "./app.ts";
import type { TriggerClient } from "./client.ts";

const KEY = Symbol.for("holdfast.clients");

export function register(client: TriggerClient): void {
  const shared = globalThis as unknown as Record<symbol, Set<TriggerClient> | undefined>;
  shared[KEY] ??= new Set();
  shared[KEY].add(client);
}

const apps = new WeakMap<TriggerClient, App>();

export function keepApp(client: TriggerClient, app: App): void {
  apps.set(client, app);
}

/** The app of a client of this copy of the SDK. */
export function appOf(client: TriggerClient): App | undefined {
  return apps.get(client);
}
