// Room: dev. Tells the person what their apps brought: endpoints with their URLs, jobs, and apps that cannot be reached.
// Called by dev.ts whenever that may have changed. Promise: it speaks only when there is something new.
import type { AppInfo, EndpointInfo, JobInfo } from "@holdfast/protocol";
import type { Api } from "../api/api.ts";
import type { Output } from "../output/output.ts";

export interface Announcer {
  look(): Promise<void>;
}

export function createAnnouncer(api: Api, output: Output): Announcer {
  let said = "[]";
  return {
    async look() {
      const [apps, endpoints, jobs] = await Promise.all([
        api.get<AppInfo[]>(api.inEnvironment("apps")),
        api.get<EndpointInfo[]>(api.inEnvironment("endpoints")),
        api.get<JobInfo[]>(api.inEnvironment("jobs")),
      ]);
      const news = JSON.stringify([apps.map(appRow), endpoints.map(endpointRow), jobs.map(jobRow)]);
      if (news === said || apps.length === 0) return;
      said = news;
      output.event(
        { type: "index", apps: apps.map(appRow), endpoints: endpoints.map(endpointRow), jobs: jobs.map(jobRow) },
        apps.flatMap((app) => appLines(app, { endpoints, jobs }, output)).join("\n"),
      );
    },
  };
}

const appRow = ({ slug, transport, reachable, lastError }: AppInfo) => ({ id: slug, transport, reachable, lastError });
const endpointRow = ({ id, url, app }: EndpointInfo) => ({ id, url, app });
const jobRow = ({ id, version, enabled, app }: JobInfo) => ({ id, version, enabled, app });

function appLines(app: AppInfo, known: { endpoints: EndpointInfo[]; jobs: JobInfo[] }, output: Output): string[] {
  const state = app.reachable ? output.paint("green", "connected") : output.paint("yellow", app.lastError ?? "not connected now");
  const title = `  app        ${output.paint("bold", app.slug)}  ${state}`;
  // Known from before, and not here yet: what it brings is told when it comes.
  if (!app.reachable) return [title];
  const endpoints = known.endpoints.filter((each) => each.app === app.slug);
  const jobs = known.jobs.filter((each) => each.app === app.slug);
  const width = Math.max(...[...endpoints, ...jobs].map((each) => each.id.length), 0);
  return [
    title,
    ...endpoints.map((each) => `    endpoint ${each.id.padEnd(width)}  ${output.paint("cyan", each.url)}`),
    ...jobs.map((each) => `    job      ${each.id.padEnd(width)}  ${each.trigger.title}${each.enabled ? "" : " (disabled)"}`),
  ];
}
