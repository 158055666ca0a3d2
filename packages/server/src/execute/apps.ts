// Room: execute. AppCalls over both transports: what ingest and http may ask of an app.
import { PUSH, type RequestPayload, respondResultSchema, verifyResultSchema } from "@holdfast/protocol";
import type { NoAnswer } from "../ingest/ports.ts";
import type { AppRow } from "../store/store.ts";
import type { AppCalls } from "./app-calls.ts";
import type { ConnectHub } from "./connect.ts";
import type { Push } from "./push.ts";

export function appCalls(hub: ConnectHub, push: Push): AppCalls {
  const ask = (
    app: AppRow,
    what: "verify" | "respond",
    endpoint: string,
    request: RequestPayload,
  ): Promise<{ value: unknown } | NoAnswer> => {
    if (app.transport === "connect") return hub.ask(app.id, { t: what, endpoint, request });
    const action = what === "verify" ? PUSH.verifyAction : "DELIVER_HTTP_ENDPOINT_REQUEST_FOR_RESPONSE";
    return push.ask(app, action, endpoint, request);
  };
  return {
    reachable: (app) => (app.transport === "connect" ? hub.reachable(app.id) : app.url !== null),
    async verify(app, endpoint, request) {
      const answer = await ask(app, "verify", endpoint, request);
      if ("type" in answer) return answer;
      const parsed = verifyResultSchema.safeParse(answer.value);
      if (!parsed.success) return { type: "no-answer", message: "The app's verify() answered neither success nor a reason." };
      return { type: parsed.data.success ? "verified" : "refused", result: parsed.data };
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
