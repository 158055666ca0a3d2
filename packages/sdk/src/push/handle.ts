// Room: push. The server calls the app over HTTP: checks who calls and what for, does it, answers. Called by `client.handleRequest`.
// Order of checks, statuses and messages are v2's (wire §1.1–1.3); the actions of PUSH are Holdfast's own.
import { type HandOver, NOTIFY_ACTION, PUSH, type RunNotification } from "@holdfast/protocol";
import type { App } from "../client/app.ts";
import type { Credentials } from "../client/credentials.ts";
import { sleep } from "../runtime/runtime.ts";
import type { AppStream } from "../stream/app-stream.ts";
import { type Authorization, authorize } from "./authorize.ts";
import { deliveredRequest, whatIsHandedOver } from "./delivered-request.ts";
import { executePushed } from "./execute.ts";
import { answer, type NormalizedResponse, refuse } from "./respond.ts";

export type { NormalizedResponse } from "./respond.ts";

export interface Mount {
  app: App;
  credentials: Credentials;
  stream: AppStream;
}

const REFUSALS: Record<Exclude<Authorization, "authorized">, string> = {
  "missing-client": "Unauthorized: client missing apiKey",
  "missing-header": "Unauthorized: missing x-trigger-api-key header",
  unauthorized: "Forbidden: client apiKey mismatch: Make sure you are using the correct API Key for your environment",
};

export async function handleAction(request: Request, mount: Mount): Promise<NormalizedResponse> {
  const standing = authorize(request.headers.get("x-trigger-api-key"), mount.credentials.apiKey);
  if (standing !== "authorized") return refuse(401, REFUSALS[standing]);
  if (request.method !== "POST") return refuse(405, "Method not allowed (only POST is allowed)");
  const action = request.headers.get("x-trigger-action");
  if (!action) return refuse(400, "Missing x-trigger-action header");
  const handle = ACTIONS[action];
  if (!handle) return refuse(405, "Method not allowed");
  mount.app.trace(`called for ${action}`);
  return handle(request, mount);
}

const ACTIONS: Record<string, (request: Request, mount: Mount) => Promise<NormalizedResponse>> = {
  PING: async (request, { app }) => answer(200, ping(request.headers.get("x-trigger-endpoint-id"), app.id)),
  VALIDATE: async (_request, { app }) => answer(200, { ok: true, endpointId: app.id }),
  INDEX_ENDPOINT: async (_request, { app }) => answer(200, app.index()),
  [PUSH.executeAction]: executePushed,
  [PUSH.verifyAction]: verifyDelivered,
  DELIVER_HTTP_ENDPOINT_REQUEST_FOR_RESPONSE: respondToDelivered,
  DELIVER_HTTP_SOURCE_REQUEST: (request, mount) => handedOver("source", request, mount),
  DELIVER_WEBHOOK_REQUEST: (request, mount) => handedOver("webhook", request, mount),
  [NOTIFY_ACTION]: notified,
  PROBE_EXECUTION_TIMEOUT: probe,
};

function ping(asked: string | null, id: string): { ok: boolean; error?: string } {
  if (!asked) return { ok: false, error: "Missing endpoint ID" };
  if (asked === id) return { ok: true };
  return { ok: false, error: `Endpoint ID mismatch error. Expected ${id}, got ${asked}` };
}

async function verifyDelivered(request: Request, { app }: Mount): Promise<NormalizedResponse> {
  const delivered = await deliveredRequest(request);
  if (!delivered) return refuse(400, "Invalid headers");
  const verdict = await app.verify(delivered.key, delivered.payload);
  return verdict ? answer(200, verdict) : refuse(404, "HTTP endpoint not found");
}

async function respondToDelivered(request: Request, { app }: Mount): Promise<NormalizedResponse> {
  const delivered = await deliveredRequest(request);
  if (!delivered) return refuse(400, "Invalid headers");
  return answer(200, (await app.respond(delivered.key, delivered.payload)) ?? { status: 200, body: { ok: true } });
}

async function handedOver(kind: HandOver["kind"], request: Request, { app }: Mount): Promise<NormalizedResponse> {
  const what = whatIsHandedOver(kind, request.headers);
  const delivered = await deliveredRequest(request);
  if (!what || !delivered) return refuse(400, "Invalid headers");
  return answer(200, await app.sources.handle(what, delivered.payload));
}

async function notified(request: Request, { app }: Mount): Promise<NormalizedResponse> {
  const notification = (await request.json().catch(() => null)) as RunNotification | null;
  if (typeof notification?.job?.id !== "string") return refuse(400, "Invalid body");
  try {
    await app.notify(notification);
    return answer(200, { ok: true });
  } catch (error) {
    return refuse(500, error instanceof Error ? error.message : String(error));
  }
}

/** Sleeps as long as asked, so that the server learns how long this app's host lets a call run. */
async function probe(request: Request, { app }: Mount): Promise<NormalizedResponse> {
  const body = (await request.json().catch(() => ({}))) as { timeout?: unknown };
  const asked = typeof body.timeout === "number" && body.timeout >= 0 ? body.timeout : 900_000;
  await sleep(app.runtime, Math.min(asked, 900_000));
  return answer(200, { ok: true });
}
