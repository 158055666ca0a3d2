// Room endpoints: /endpoints/:id. One inbound address: URL, verification and secret, the jobs it feeds, and a sample sender.
import type { EndpointInfo } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { endpointQuery, jobsQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { DeliveryList } from "../deliveries/DeliveryList.tsx";
import { CopyLine, When } from "../parts/controls.tsx";
import { count } from "../parts/format.ts";
import { Async, Empty, Facts, PageHead, Section } from "../parts/layout.tsx";
import { Tag } from "../parts/status.tsx";
import { SampleSender } from "./SampleSender.tsx";
import { SecretForm } from "./SecretForm.tsx";
import { VERIFIER } from "./verifier.ts";

export function EndpointPage() {
  const { id } = useParams({ from: "/endpoints/$id" });
  const endpoint = useQuery(endpointQuery(useEnv(), id));
  return (
    <Async query={endpoint} what="endpoint">
      {(data) => <LoadedEndpoint endpoint={data} />}
    </Async>
  );
}

function LoadedEndpoint({ endpoint }: { endpoint: EndpointInfo }) {
  return (
    <>
      <PageHead
        title={endpoint.title}
        parent={{ to: "/endpoints", title: "Endpoints" }}
        badge={endpoint.enabled ? null : <Tag tone="wait">disabled</Tag>}
      />
      <div className="flex flex-col gap-6 px-4 pb-6">
        <Section title="URL">
          <CopyLine text={endpoint.url} label="Copy the endpoint's URL" />
          <p className="mt-1 text-xs text-soft">Give this address to {endpoint.source}.</p>
        </Section>
        <EndpointFacts endpoint={endpoint} />
        <div className="grid gap-6 lg:grid-cols-2">
          <SampleSender endpoint={endpoint} />
          <Section title="Verification">
            <p className="mb-3 text-soft">{VERIFIER[endpoint.verification].long}</p>
            <SecretForm endpoint={endpoint} />
          </Section>
        </div>
        <Jobs endpoint={endpoint} />
        <Section title="Deliveries" side={<AllDeliveries endpoint={endpoint} />}>
          <div className="card flex max-h-80 flex-col overflow-hidden">
            <DeliveryList
              query={{ endpoint: endpoint.id }}
              empty={<Empty title="Nothing received yet" why="Send a sample above, or a real event from the provider." />}
            />
          </div>
        </Section>
      </div>
    </>
  );
}

const AllDeliveries = ({ endpoint }: { endpoint: EndpointInfo }) => (
  <Link to="/deliveries" search={{ endpoint: endpoint.id }} className="text-xs text-accent hover:underline">
    All deliveries
  </Link>
);

function EndpointFacts({ endpoint }: { endpoint: EndpointInfo }) {
  const provider = endpoint.provider ? (
    <Link to="/catalogue/$id" params={{ id: endpoint.provider }} className="text-accent hover:underline">
      {endpoint.provider}
    </Link>
  ) : (
    "not in the catalogue"
  );
  return (
    <Facts
      facts={[
        [
          "Endpoint",
          <span key="id" className="mono">
            {endpoint.id}
          </span>,
        ],
        ["Source", endpoint.source],
        ["Provider", provider],
        ["App", endpoint.app],
        ["Last request", <When key="last" at={endpoint.lastDeliveryAt} none="never" />],
        ["Accepted, 24 h", count(endpoint.accepted24h)],
        [
          "Refused, 24 h",
          <span key="refused" className={endpoint.refused24h > 0 ? "font-medium text-bad" : ""}>
            {count(endpoint.refused24h)}
          </span>,
        ],
      ]}
    />
  );
}

function Jobs({ endpoint }: { endpoint: EndpointInfo }) {
  const jobs = useQuery(jobsQuery(useEnv())).data ?? [];
  return (
    <Section title="Jobs it feeds">
      {endpoint.jobs.length === 0 && <p className="text-soft">None yet: a job names this endpoint with endpoint.onRequest().</p>}
      <ul className="flex flex-wrap gap-2">
        {endpoint.jobs.map((id) => (
          <li key={id}>
            <Link to="/jobs/$id" params={{ id }} className="card flex items-center gap-2 px-2.5 py-1.5 hover:bg-hover">
              <span className="font-medium">{jobs.find((job) => job.id === id)?.name ?? id}</span>
              <span className="mono text-faint">{id}</span>
            </Link>
          </li>
        ))}
      </ul>
    </Section>
  );
}
