// Room integrations: /integrations. Integrations whose credentials this server keeps: how each is connected, by whom, and which runs wait for it.
import type { IntegrationInfo, IntegrationsInfo } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { integrationsQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { CopyLine } from "../parts/controls.tsx";
import { Async, Empty, PageHead, Section } from "../parts/layout.tsx";
import { AppForm } from "./AppForm.tsx";
import { Connections } from "./Connections.tsx";

export function IntegrationsPage() {
  const integrations = useQuery(integrationsQuery(useEnv()));
  return (
    <>
      <PageHead title="Integrations" />
      <Async query={integrations} what="integrations">
        {(all) => (all.integrations.length === 0 ? <None /> : <All all={all} />)}
      </Async>
    </>
  );
}

const None = () => (
  <Empty
    title="No integration needs credentials from here"
    why="Integrations without an API key in code appear here once an app with a job that uses one has connected."
  />
);

function All({ all }: { all: IntegrationsInfo }) {
  return (
    <div className="flex flex-col gap-5 px-4 pb-6">
      <Section title="Redirect URL">
        <CopyLine text={all.redirectUrl} label="Copy the redirect URL" />
        <p className="mt-1 text-xs text-soft">Enter it at the service, in the OAuth app you make there.</p>
      </Section>
      {all.integrations.map((integration) => (
        <Integration key={integration.id} integration={integration} providers={all.providers} />
      ))}
      {all.more && <p className="text-xs text-soft">There are more connections; the API lists those of an account.</p>}
    </div>
  );
}

interface IntegrationProps {
  integration: IntegrationInfo;
  providers: IntegrationsInfo["providers"];
}

function Integration({ integration, providers }: IntegrationProps) {
  const { id, name, jobs } = integration;
  return (
    <section aria-label={`Integration ${id}`} className="card p-4">
      <div className="mb-3 flex flex-wrap items-center gap-x-3 gap-y-1">
        <h2 className="text-base font-semibold [overflow-wrap:anywhere]">{name}</h2>
        <span className="mono text-faint [overflow-wrap:anywhere]">{id}</span>
        <span className="flex-1" />
        <span className="text-xs text-soft">
          {jobs.length === 0 ? "No job uses it." : "Used by "}
          {jobs.map((job, at) => (
            <span key={job}>
              {at > 0 && ", "}
              <Link to="/jobs/$id" params={{ id: job }} className="text-accent underline">
                {job}
              </Link>
            </span>
          ))}
        </span>
      </div>
      <div className="grid gap-6 lg:grid-cols-2">
        <Section title="Connections" label={`Connections of ${id}`}>
          <Connections integration={integration} />
        </Section>
        <Section title="OAuth app" label={`OAuth app of ${id}`}>
          <AppForm integration={integration} providers={providers} />
        </Section>
      </div>
    </section>
  );
}
