// Room: main. Wires what goes on outside of runs: callback URLs, waiters for events, requests to be made. Called by core.ts and by tests of http.
import { Operations } from "../deliver/operations.ts";
import { type NotifiedApps, Outbound } from "../deliver/outbound.ts";
import { Waiters } from "../deliver/waiters.ts";
import type { Registry } from "../dispatch/registry.ts";
import type { Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { Runs } from "../runs/change.ts";
import type { Store } from "../store/store.ts";
import { Callbacks } from "../tasks/callbacks.ts";

export interface DeliveryParts {
  world: World;
  store: Store;
  registry: Registry;
  runs: Runs;
  vault: Pick<Vault, "open">;
  apps: NotifiedApps;
  owner: string;
  wake: (queues: string[]) => void;
}

export interface Delivery {
  callbacks: Callbacks;
  operations: Operations;
  waiters: Waiters;
  outbound: Outbound;
}

export function buildDelivery({ world, store, registry, runs, vault, apps, owner, wake }: DeliveryParts): Delivery {
  const isPublished = (appId: string): boolean => !registry.app(appId)?.index?.holdfast;
  const callbacks = new Callbacks({ world, store, runs, isPublished });
  const operations = new Operations({ world, store, callbacks, wake });
  const waiters = new Waiters({ world, store, callbacks, wake });
  const keyOf = (environmentId: string): string => {
    const environment = registry.requireEnvironment(environmentId);
    return vault.open(environment.secretKeySealed, `environment:${environment.id}`);
  };
  const outbound = new Outbound({ world, store, registry, callbacks, operations, apps, keyOf, owner });
  return { callbacks, operations, waiters, outbound };
}
