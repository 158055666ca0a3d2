// Room: http. Every request received: list, show, replay.
import { DELIVERY_VERDICTS, type DeliveryVerdict, isId, UserFacingError } from "@holdfast/protocol";
import { type Call, orThrow } from "../call.ts";
import { IN_ENVIRONMENT, type Route, route } from "../route.ts";

const PAGE = { otherwise: 50, most: 200 };
const common = { tag: "management", access: "environment" } as const;

function verdictOf(call: Call): DeliveryVerdict | undefined {
  const given = call.query("verdict");
  if (given === undefined || (DELIVERY_VERDICTS as readonly string[]).includes(given))
    return given as DeliveryVerdict | undefined;
  throw new UserFacingError("BAD_REQUEST", `"${given}" is no verdict.`, `Verdicts: ${DELIVERY_VERDICTS.join(", ")}.`);
}

async function list(call: Call): Promise<Response> {
  const { registry, views } = call.rooms;
  const slug = call.query("endpoint");
  const endpoint = slug === undefined ? undefined : registry.endpointIn(call.environment.id, slug);
  if (endpoint === null) return call.json({ items: [] });
  const query = {
    endpointId: endpoint?.row.id,
    verdict: verdictOf(call),
    cursor: call.query("cursor"),
    limit: call.number("limit", PAGE),
  };
  return call.json(await views.deliveries.list(call.environment, query));
}

async function detailOf(call: Call, id: string) {
  const detail = isId("delivery", id) ? await call.rooms.views.deliveries.detail(call.environment, id) : null;
  return orThrow(detail, "NOT_FOUND", `There is no delivery ${id} in this environment.`);
}

async function replay(call: Call): Promise<Response> {
  const original = await detailOf(call, call.param("id"));
  const replayed = await detailOf(call, await call.rooms.ingest.replay(call.environment.id, original.id));
  const {
    url: _url,
    headers: _headers,
    bodyBase64: _body,
    bodyTruncated: _cut,
    eventId: _event,
    skipped: _skipped,
    ...summary
  } = replayed;
  return call.json(summary);
}

export const deliveryRoutes: Route[] = [
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/deliveries`,
    name: "listDeliveries",
    summary: "Every request received, newest first",
    query: {
      endpoint: "Only at this endpoint (its id)",
      verdict: "verified, refused, duplicate or pending",
      cursor: "From the page before",
      limit: "Deliveries a page, at most 200",
    },
    handle: list,
  }),
  route({
    ...common,
    method: "GET",
    path: `${IN_ENVIRONMENT}/deliveries/:id`,
    name: "showDelivery",
    summary: "A request with its headers and raw bytes",
    handle: async (call) => call.json(await detailOf(call, call.param("id"))),
  }),
  route({
    ...common,
    method: "POST",
    path: `${IN_ENVIRONMENT}/deliveries/:id/replay`,
    name: "replayDelivery",
    summary: "Take a request up again: verified anew if it was refused",
    handle: replay,
  }),
];
