// Room: commands. `holdfast endpoints list|url|send`. Promise: the JSON shapes of DESIGN §13; `send` ends well when the request was answered.
import type { EndpointInfo, SendSampleRequest, SendSampleResult } from "@holdfast/protocol";
import type { ServerFlags } from "../api/find-server.ts";
import { CommandError } from "../output/exit-codes.ts";
import { table } from "../output/table.ts";
import { apiOf, type Context } from "./context.ts";

export async function listEndpoints(context: Context, flags: ServerFlags): Promise<void> {
  const api = apiOf(context, flags);
  const endpoints = await api.get<EndpointInfo[]>(api.inEnvironment("endpoints"));
  if (endpoints.length === 0) context.output.note("No endpoints yet: an app that calls defineHttpEndpoint has to connect first.");
  const rows = endpoints.map((each) => [each.id, each.title, each.app, each.enabled ? "yes" : "no", each.url]);
  context.output.result(endpoints, rows.length ? table(["ENDPOINT", "TITLE", "APP", "ENABLED", "URL"], rows) : "");
}

export async function showEndpointUrl(context: Context, id: string, flags: ServerFlags): Promise<void> {
  const api = apiOf(context, flags);
  const endpoint = await api.get<EndpointInfo>(api.inEnvironment("endpoints", id));
  context.output.result({ url: endpoint.url, id: endpoint.id }, endpoint.url);
}

export interface SendSampleFlags extends ServerFlags {
  sample: string;
  tamper?: boolean;
  stale?: boolean;
  unsigned?: boolean;
  wrongSecret?: boolean;
  secret?: string;
}

export async function sendSample(context: Context, id: string, flags: SendSampleFlags): Promise<void> {
  const api = apiOf(context, flags);
  const body: SendSampleRequest = {
    sample: flags.sample,
    forge: forgery(flags),
    ...(flags.secret ? { secret: flags.secret } : {}),
  };
  const sent = await api.post<SendSampleResult>(api.inEnvironment("endpoints", id, "send"), body);
  const text = `Answered ${sent.status}${sent.deliveryId ? `, delivery ${sent.deliveryId}` : ""}.`;
  context.output.result({ status: sent.status, deliveryId: sent.deliveryId }, text);
}

function forgery(flags: SendSampleFlags): NonNullable<SendSampleRequest["forge"]> {
  const asked = (
    [
      ["tamper", "tampered"],
      ["stale", "stale"],
      ["unsigned", "unsigned"],
      ["wrongSecret", "wrong-secret"],
    ] as const
  ).filter(([flag]) => flags[flag]);
  if (asked.length <= 1) return asked[0]?.[1] ?? "valid";
  throw new CommandError("USAGE", "--tamper, --stale, --unsigned and --wrong-secret exclude each other.");
}
