// Room: http. Environments, their keys, their home screen and their live news.
import type { EnvironmentInfo, EnvironmentKeys } from "@holdfast/protocol";
import { generateApiKeys, hashKey, previewOf } from "../../platform/secrets.ts";
import type { EnvironmentRow } from "../../store/store.ts";
import type { Call } from "../call.ts";
import { liveStream } from "../live.ts";
import { IN_ENVIRONMENT, type Route, route } from "../route.ts";

export function environmentInfo(row: EnvironmentRow): EnvironmentInfo {
  const { id, slug, type, publicKey, secretKeyPreview } = row;
  return { id, slug, type, publicKey, secretKeyPreview };
}

/** What an environment's key is sealed for; main seals the first one. */
const purposeOf = (row: EnvironmentRow): string => `environment:${row.id}`;

function keysOf(call: Call): EnvironmentKeys {
  const row = call.environment;
  return { secretKey: call.rooms.vault.open(row.secretKeySealed, purposeOf(row)), publicKey: row.publicKey };
}

async function rotate(call: Call): Promise<EnvironmentKeys> {
  const { vault, store, registry, bus } = call.rooms;
  const row = call.environment;
  const keys = generateApiKeys(row.slug);
  const sealed = { secretKeySealed: vault.seal(keys.secretKey, purposeOf(row)), secretKeyHash: hashKey(keys.secretKey) };
  const shown = { secretKeyPreview: previewOf(keys.secretKey), publicKey: keys.publicKey };
  await store.catalog.saveEnvironment({ ...row, ...sealed, ...shown });
  await registry.refresh();
  bus.publish({ type: "catalog" });
  return keys;
}

export const environmentRoutes: Route[] = [
  route({
    method: "GET",
    path: "/api/v1/environments",
    name: "listEnvironments",
    summary: "Every environment; with an API key, its own",
    tag: "management",
    access: "server",
    handle: (call) => {
      const rows = call.caller.environment ? [call.caller.environment] : call.rooms.registry.environments();
      return call.json(rows.map(environmentInfo));
    },
  }),
  route({
    method: "GET",
    path: `${IN_ENVIRONMENT}/keys`,
    name: "getKeys",
    summary: "The environment's keys, in clear",
    tag: "management",
    access: "environment",
    handle: (call) => call.json(keysOf(call)),
  }),
  route({
    method: "POST",
    path: `${IN_ENVIRONMENT}/keys/rotate`,
    name: "rotateKeys",
    summary: "Make new keys; the former ones stop working at once",
    tag: "management",
    access: "person",
    handle: async (call) => call.json(await rotate(call)),
  }),
  route({
    method: "GET",
    path: `${IN_ENVIRONMENT}/overview`,
    name: "getOverview",
    summary: "The last 24 hours, and what is due",
    tag: "management",
    access: "environment",
    handle: async (call) => {
      const queues = call.rooms.registry.apps(call.environment.id).map(({ id }) => id);
      return call.json(await call.rooms.views.activity.overview(call.environment, queues, call.rooms.world.now()));
    },
  }),
  route({
    method: "GET",
    path: `${IN_ENVIRONMENT}/live`,
    name: "followChanges",
    summary: "What changes, as server-sent events",
    tag: "management",
    access: "environment",
    handle: (call) => liveStream(call.rooms, call.environment.id),
  }),
];
