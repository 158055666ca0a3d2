// Room: http. Endpoints: their URLs, who verifies for them, their stored secrets, and samples sent to them.
import { type EndpointInfo, UserFacingError } from "@holdfast/protocol";
import { z } from "zod";
import type { KnownEndpoint } from "../../dispatch/registry.ts";
import { endpointUrl } from "../../ingest/locate.ts";
import { jobsOf } from "../../ingest/receive.ts";
import { endpointPurpose, openSecret } from "../../ingest/secret.ts";
import { keyOf, SCHEMES } from "../../ingest/signatures.ts";
import { verificationOf } from "../../ingest/verify.ts";
import type { EndpointActivity } from "../../views/activity.ts";
import { originOf } from "../access.ts";
import { type Call, orThrow } from "../call.ts";
import type { CatalogueManifest } from "../rooms.ts";
import { IN_ENVIRONMENT, type Route, route } from "../route.ts";

const common = { tag: "management", access: "environment" } as const;
/** Bytes; Standard Webhooks asks senders for 24 to 64, and less than this can be searched. */
const SHORTEST_KEY = 16;
const FORGERIES = ["valid", "tampered", "stale", "unsigned", "wrong-secret"] as const;

function ownEndpoint(call: Call): KnownEndpoint {
  const id = call.param("id");
  return orThrow(
    call.rooms.registry.endpointIn(call.environment.id, id),
    "NOT_FOUND",
    `There is no endpoint "${id}" in this environment.`,
  );
}

/** The catalogue's entry whose samples fit: by the endpoint's source. */
function providerOf(call: Call, { row, metadata }: KnownEndpoint): CatalogueManifest | null {
  const source = metadata?.source ?? row.slug;
  return call.rooms.catalogue.find(({ sources }) => sources.includes(source)) ?? null;
}

function infoOf(call: Call, endpoint: KnownEndpoint, activity: EndpointActivity | undefined): EndpointInfo {
  const { row, app, metadata } = endpoint;
  const provider = providerOf(call, endpoint);
  return {
    id: row.slug,
    rowId: row.id,
    title: metadata?.title ?? metadata?.event.title ?? row.slug,
    source: metadata?.source ?? "",
    icon: metadata?.icon ?? null,
    url: endpointUrl(originOf(call.context), call.environment, row),
    enabled: metadata?.enabled ?? false,
    app: app.slug,
    jobs: jobsOf(call.rooms.registry, endpoint).map((job) => job.metadata.id),
    provider: provider?.id ?? null,
    samples: provider?.events.map(({ name, title }) => ({ name, title })) ?? [],
    verification: verificationOf(endpoint),
    hasSecret: row.secretSealed !== null,
    lastDeliveryAt: activity?.lastDeliveryAt ?? null,
    accepted24h: activity?.accepted24h ?? 0,
    refused24h: activity?.refused24h ?? 0,
  };
}

async function infosOf(call: Call, endpoints: KnownEndpoint[]): Promise<EndpointInfo[]> {
  const { views, world } = call.rooms;
  const ids = endpoints.map(({ row }) => row.id);
  const activity = await views.activity.endpoints(ids, world.now());
  return endpoints.map((endpoint) => infoOf(call, endpoint, activity.get(endpoint.row.id)));
}

async function setSecret(call: Call, { preset, secret }: { preset: string; secret: string | null }): Promise<Response> {
  const { row, source } = ownEndpoint(call);
  const { registry, vault } = call.rooms;
  if (source) throw new UserFacingError("CONFLICT", "This endpoint's secret is arranged between its app and the other service.");
  if (secret === null) {
    await registry.saveEndpoint({ ...row, preset: null, secretSealed: null });
    return call.json((await infosOf(call, [ownEndpoint(call)]))[0]);
  }
  const scheme = Object.hasOwn(SCHEMES, preset) ? SCHEMES[preset] : undefined;
  if (!scheme)
    throw new UserFacingError("UNPROCESSABLE", `"${preset}" is no preset.`, `Presets: ${Object.keys(SCHEMES).join(", ")}.`);
  const key = keyOf(scheme, secret);
  if (!key) {
    throw new UserFacingError(
      "UNPROCESSABLE",
      `That is not a ${scheme.title} signing secret.`,
      `It starts with ${scheme.secretPrefix} and goes on in base64.`,
    );
  }
  if (key.length < SHORTEST_KEY) {
    throw new UserFacingError(
      "UNPROCESSABLE",
      `This secret holds only ${key.length} bytes: whoever has seen one request could guess it.`,
      `Copy the whole secret from the sender; one you make yourself needs ${SHORTEST_KEY} random bytes or more: ${scheme.secretPrefix}$(openssl rand -base64 24).`,
    );
  }
  await registry.saveEndpoint({ ...row, preset, secretSealed: vault.seal(secret, endpointPurpose(row)) });
  return call.json((await infosOf(call, [ownEndpoint(call)]))[0]);
}

async function sendSample(
  call: Call,
  request: { sample: string; forge: (typeof FORGERIES)[number]; secret?: string | undefined },
): Promise<Response> {
  const endpoint = ownEndpoint(call);
  const source = providerOf(call, endpoint);
  if (!source)
    throw new UserFacingError(
      "NOT_FOUND",
      `The catalogue has no samples for "${endpoint.metadata?.source ?? endpoint.row.slug}".`,
    );
  const { ingest, vault, sampleSecrets, ownUrl } = call.rooms;
  const stored = openSecret(vault, endpoint.row);
  const given = source.secretEnv && Object.hasOwn(sampleSecrets, source.secretEnv) ? sampleSecrets[source.secretEnv] : undefined;
  const { secret, ...order } = request;
  const result = await ingest.sendSample({
    url: endpointUrl(ownUrl(), call.environment, endpoint.row),
    source,
    request: secret === undefined ? order : { ...order, secret },
    secrets: [stored, given],
  });
  return call.json(result);
}

export const endpointRoutes: Route[] = [
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/endpoints`,
    name: "listEndpoints",
    summary: "Addresses that receive requests",
    handle: async (call) => call.json(await infosOf(call, call.rooms.registry.endpoints(call.environment.id))),
  }),
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/endpoints/:id`,
    name: "showEndpoint",
    summary: "One endpoint, by its id",
    handle: async (call) => call.json((await infosOf(call, [ownEndpoint(call)]))[0]),
  }),
  route({
    ...common,
    method: "PUT",
    path: `${IN_ENVIRONMENT}/endpoints/:id/secret`,
    name: "setEndpointSecret",
    summary: "Let the server verify with a preset and this secret (null: let the app verify again)",
    body: z.object({ preset: z.string().max(50).default("svix"), secret: z.string().min(1).max(1000).nullable() }),
    handle: setSecret,
  }),
  route({
    ...common,
    method: "POST",
    path: `${IN_ENVIRONMENT}/endpoints/:id/send`,
    name: "sendSample",
    summary: "Forge a sender's request, well or badly signed, and send it to the endpoint",
    body: z.object({
      sample: z.string().max(200),
      forge: z.enum(FORGERIES).default("valid"),
      secret: z.string().max(1000).optional(),
    }),
    handle: sendSample,
  }),
];
