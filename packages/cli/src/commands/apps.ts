// Room: commands. `holdfast apps list|register`: the apps of an environment. Promise: `register` ends well once the server has called the app and
// knows its jobs; an app that does not answer is exit code 6.
import type { AppInfo } from "@holdfast/protocol";
import { toAppUrl } from "../api/app-id.ts";
import type { ServerFlags } from "../api/find-server.ts";
import { CommandError } from "../output/exit-codes.ts";
import { oneLine, table } from "../output/table.ts";
import { apiOf, type Context } from "./context.ts";

export async function listApps(context: Context, flags: ServerFlags): Promise<void> {
  const api = apiOf(context, flags);
  const apps = await api.get<AppInfo[]>(api.inEnvironment("apps"));
  if (apps.length === 0) context.output.note("No apps yet: start one with `holdfast dev`, or register one by its URL.");
  const rows = apps.map((each) => [
    each.slug,
    each.reachable ? "yes" : "no",
    each.url ?? "dials out",
    each.sdk ?? "–",
    String(each.jobs),
    String(each.endpoints),
    oneLine(each.lastError),
  ]);
  const text = rows.length ? table(["APP", "REACHABLE", "URL", "SDK", "JOBS", "ENDPOINTS", "ERROR"], rows) : "";
  context.output.result(apps.map(appRow), text);
}

function appRow({ slug, transport, url, sdk, reachable, lastError, jobs, endpoints }: AppInfo) {
  return { id: slug, transport, url, sdk, reachable, lastError, jobs, endpoints };
}

export async function registerApp(context: Context, app: { id: string; url: string }, flags: ServerFlags): Promise<void> {
  const api = apiOf(context, flags);
  const url = toAppUrl(app.url);
  await api.post("/api/v1/endpoints", { id: app.id, url }).catch((error: unknown) => {
    if (error instanceof CommandError && error.code === "BAD_REQUEST") throw unanswered(error);
    throw error;
  });
  context.output.result({ id: app.id, url }, `Registered ${app.id} at ${url}.`);
}

function unanswered(error: CommandError): CommandError {
  return new CommandError("APP_UNREACHABLE", error.message, error.hint);
}
