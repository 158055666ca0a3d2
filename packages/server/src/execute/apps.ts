// Room: execute. AppCalls over both transports: what ingest and http may ask of an app.
import {
  type HandOver,
  PUSH,
  type RequestPayload,
  respondResultSchema,
  sourceAnswerSchema,
  verifyResultSchema,
  webhookAnswerSchema,
} from "@holdfast/protocol";
import type { NoAnswer, VerifyAnswer } from "../ingest/ports.ts";
import type { AppRow } from "../store/store.ts";
import type { AppCalls } from "./app-calls.ts";
import type { ConnectHub } from "./connect.ts";
import type { Question } from "./connection.ts";
import type { Elsewhere } from "./elsewhere.ts";
import type { Push } from "./push.ts";

/** @param elsewhere asks apps connected to other servers, where there are any */
export function appCalls(hub: ConnectHub, push: Push, elsewhere: Pick<Elsewhere, "ask" | "has"> | null = null): AppCalls {
  const askConnected = (appId: string, question: Question): Promise<{ value: unknown } | NoAnswer> =>
    elsewhere === null || hub.reachable(appId) ? hub.ask(appId, question) : elsewhere.ask(appId, question);
  const ask = (
    app: AppRow,
    what: "verify" | "respond",
    endpoint: string,
    request: RequestPayload,
  ): Promise<{ value: unknown } | NoAnswer> => {
    if (app.transport === "connect") return askConnected(app.id, { t: what, endpoint, request });
    const action = what === "verify" ? PUSH.verifyAction : "DELIVER_HTTP_ENDPOINT_REQUEST_FOR_RESPONSE";
    return push.ask(app, action, endpoint, request);
  };
  return {
    reachable: (app) => (app.transport === "connect" ? hub.reachable(app.id) : app.url !== null),
    reachableByAny: async (app) => {
      if (app.transport !== "connect") return app.url !== null;
      return hub.reachable(app.id) || (elsewhere?.has(app.id) ?? false);
    },
    async verify(app, endpoint, request) {
      const answer = await ask(app, "verify", endpoint, request);
      if ("type" in answer) return answer;
      const parsed = verifyResultSchema.safeParse(answer.value);
      if (!parsed.success) return { type: "no-answer", message: "The app's verify() answered neither success nor a reason." };
      return { type: parsed.data.success ? "verified" : "refused", result: parsed.data };
    },
    async handOver(app, what, request) {
      const asked =
        app.transport === "connect" ? askConnected(app.id, { t: "source", what, request }) : push.handOver(app, what, request);
      const answer = await asked;
      return "type" in answer ? answer : handedOver(what.kind, answer.value);
    },
    async respond(app, endpoint, request) {
      const answer = await ask(app, "respond", endpoint, request);
      if ("type" in answer) return answer;
      const parsed = respondResultSchema.safeParse(answer.value);
      return parsed.success
        ? { type: "responded", result: parsed.data }
        : { type: "no-answer", message: "The app's respondWith handler did not answer a response." };
    },
    async notify(app, notification) {
      if (app.transport === "push") return push.notify(app, notification);
      const answer = await hub.ask(app.id, { t: "notify", notification });
      return "type" in answer ? answer : { type: "taken" };
    },
    index: (target) => push.index(target),
  };
}

/** What an app made of a request at a source of its. */
function handedOver(kind: HandOver["kind"], value: unknown): VerifyAnswer {
  const strange: NoAnswer = { type: "no-answer", message: "The app's source answered neither events nor a verdict." };
  const refused = (reason: string): VerifyAnswer => ({ type: "refused", result: { success: false, reason } });
  if (kind === "webhook") {
    const { data } = webhookAnswerSchema.safeParse(value);
    if (!data) return strange;
    return data.verified ? { type: "verified", result: { success: true } } : refused(data.error ?? "");
  }
  const { data } = sourceAnswerSchema.safeParse(value);
  if (!data) return strange;
  const { events, metadata, response } = data;
  if (response && response.status >= 400 && events.length === 0) return refused(`The app's source answered ${response.status}.`);
  return { type: "verified", result: { success: true }, found: { events, metadata } };
}
