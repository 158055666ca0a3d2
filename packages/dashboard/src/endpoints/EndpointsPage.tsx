// Room endpoints: /endpoints. Every inbound address of the environment: where it is, who verifies, what came in lately.
import type { EndpointInfo } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { endpointsQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { CopyLine, When } from "../parts/controls.tsx";
import { count, plural } from "../parts/format.ts";
import { Async, Empty, PageHead } from "../parts/layout.tsx";
import { Tag } from "../parts/status.tsx";
import { VERIFIER } from "./verifier.ts";

const SNIPPET = `const clerk = client.defineHttpEndpoint({ id: "clerk.com", source: "clerk.com", verify });`;

export function EndpointsPage() {
  const endpoints = useQuery(endpointsQuery(useEnv()));
  return (
    <>
      <PageHead title="Endpoints" />
      <Async query={endpoints} what="endpoints">
        {(all) =>
          all.length === 0 ? (
            <Empty
              title="No endpoints yet"
              why="An endpoint is an address a provider sends webhooks to. An app defines it, and it appears here once the app connects."
              command={SNIPPET}
            />
          ) : (
            <ul className="grid gap-3 px-4 pb-6 lg:grid-cols-2">
              {all.map((endpoint) => (
                <EndpointCard key={endpoint.id} endpoint={endpoint} />
              ))}
            </ul>
          )
        }
      </Async>
    </>
  );
}

function EndpointCard({ endpoint }: { endpoint: EndpointInfo }) {
  return (
    <li className="card flex min-w-0 flex-col gap-2 p-3">
      <div className="flex flex-wrap items-center gap-2">
        <Link to="/endpoints/$id" params={{ id: endpoint.id }} className="text-base font-semibold hover:underline">
          {endpoint.title}
        </Link>
        <span className="mono text-faint">{endpoint.source}</span>
        {!endpoint.enabled && <Tag tone="wait">disabled</Tag>}
      </div>
      <CopyLine text={endpoint.url} label={`Copy the URL of ${endpoint.title}`} />
      <p className="flex flex-wrap gap-x-4 gap-y-1 text-xs text-soft">
        <span>{VERIFIER[endpoint.verification].short}</span>
        <span>{plural(endpoint.jobs.length, "job")}</span>
        <span>
          24 h: {count(endpoint.accepted24h)} accepted,{" "}
          <span className={endpoint.refused24h > 0 ? "font-medium text-bad" : ""}>{count(endpoint.refused24h)} refused</span>
        </span>
        <span>
          last request <When at={endpoint.lastDeliveryAt} none="never" />
        </span>
      </p>
    </li>
  );
}
