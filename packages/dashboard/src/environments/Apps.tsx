// Room environments: the apps of an environment: how each is reached, whether it answers, when it last said what jobs it has.
import type { AppInfo } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { useRefreshApp } from "../api/actions.ts";
import { appsQuery } from "../api/queries.ts";
import { Code } from "../parts/Code.tsx";
import { Button, CopyLine, When } from "../parts/controls.tsx";
import { plural } from "../parts/format.ts";
import { Async, Section } from "../parts/layout.tsx";
import { type Look, Status, Tag } from "../parts/status.tsx";

const REACHABLE: Look = { word: "Reachable", icon: "check", tone: "ok" };
const UNREACHABLE: Look = { word: "Unreachable", icon: "cross", tone: "bad" };

export function Apps({ env }: { env: string }) {
  const apps = useQuery(appsQuery(env));
  return (
    <Section title="Apps" label={`Apps of ${env}`}>
      <Async query={apps} what="apps">
        {(all) => (all.length === 0 ? <NoApps env={env} /> : <AppList env={env} apps={all} />)}
      </Async>
    </Section>
  );
}

function NoApps({ env }: { env: string }) {
  const command =
    env === "dev"
      ? "npx holdfast dev app.ts"
      : `HOLDFAST_API_KEY=tr_${env}_… HOLDFAST_API_URL=${window.location.origin} node app.js`;
  return (
    <>
      <p className="mb-1.5 text-soft">
        No app has connected to {env} yet. An app connects by itself when it runs with this environment's secret key:
      </p>
      <Code text={command} language="shell" label="command" wrap />
    </>
  );
}

const AppList = ({ env, apps }: { env: string; apps: readonly AppInfo[] }) => (
  <ul className="flex flex-col gap-2">
    {apps.map((app) => (
      <AppRow key={app.id} env={env} app={app} />
    ))}
  </ul>
);

function AppRow({ env, app }: { env: string; app: AppInfo }) {
  const refresh = useRefreshApp(env);
  return (
    <li className="rounded-md border border-line p-2.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-medium">{app.slug}</span>
        <Status look={app.reachable ? REACHABLE : UNREACHABLE} />
        <Tag>{app.transport === "connect" ? "connected" : "push"}</Tag>
        <span className="text-xs text-soft">
          {plural(app.jobs, "job")}, {plural(app.endpoints, "endpoint")} · indexed <When at={app.indexedAt} none="never" />{" "}
          {app.sdk ? `· ${app.sdk}` : ""}
        </span>
        <span className="flex-1" />
        <Button
          icon="again"
          disabled={refresh.isPending}
          onClick={() => refresh.mutate(app.id)}
          aria-label={`Refresh ${app.slug}`}
        >
          {refresh.isPending ? "Asking…" : "Refresh"}
        </Button>
      </div>
      {app.url && <p className="mono mt-1 text-xs text-faint [overflow-wrap:anywhere]">{app.url}</p>}
      {app.indexHook && <Hook app={app.slug} url={window.location.origin + app.indexHook} />}
      {app.lastError && <p className="mt-1 text-xs text-bad [overflow-wrap:anywhere]">{app.lastError}</p>}
    </li>
  );
}

const Hook = ({ app, url }: { app: string; url: string }) => (
  <details className="mt-1 text-xs text-soft">
    <summary className="cursor-pointer">After a deployment</summary>
    <p className="my-1">
      Have your platform call this address (GET or POST): the app is asked for its jobs five seconds later. Outside of development
      it is asked every hour anyway.
    </p>
    <CopyLine text={url} label={`Copy the address ${app}'s deployments call`} />
  </details>
);
