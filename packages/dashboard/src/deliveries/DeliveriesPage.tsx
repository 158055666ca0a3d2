// Room deliveries: /deliveries. Every request received, including those refused, with the verdict and its reason.
import type { DeliveryVerdict } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { endpointsQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Button, Select } from "../parts/controls.tsx";
import { Empty, PageHead } from "../parts/layout.tsx";
import { VERDICT_LOOK } from "../parts/status.tsx";
import { DeliveryList } from "./DeliveryList.tsx";

interface Search {
  endpoint?: string;
  verdict?: string;
}

export function DeliveriesPage() {
  const { endpoint, verdict } = useSearch({ from: "/deliveries" });
  const query = useMemo(() => ({ endpoint, verdict }), [endpoint, verdict]);
  const filtered = endpoint !== undefined || verdict !== undefined;
  return (
    <div className="flex h-full min-h-0 flex-col">
      <PageHead title="Deliveries" />
      <Filters endpoint={endpoint} verdict={verdict} />
      <DeliveryList query={query} empty={<NoDeliveries filtered={filtered} />} />
    </div>
  );
}

function useChange() {
  const navigate = useNavigate({ from: "/deliveries" });
  return (change: { [Key in keyof Search]: string | undefined }) =>
    void navigate({
      search: (now) =>
        Object.fromEntries(
          Object.entries({ ...now, ...change }).filter(([, value]) => value !== undefined && value !== ""),
        ) as Search,
      replace: true,
    });
}

function Filters({ endpoint, verdict }: { endpoint: string | undefined; verdict: string | undefined }) {
  const endpoints = useQuery(endpointsQuery(useEnv())).data ?? [];
  const change = useChange();
  return (
    // biome-ignore lint/a11y/useSemanticElements: filters, not a form that is sent.
    <div role="group" aria-label="Filters" className="flex flex-wrap items-center gap-2 px-4 pb-2.5">
      <Select label="Verdict" value={verdict ?? ""} onChange={(event) => change({ verdict: event.target.value })}>
        <option value="">Any verdict</option>
        {(Object.keys(VERDICT_LOOK) as DeliveryVerdict[]).map((each) => (
          <option key={each} value={each}>
            {VERDICT_LOOK[each].word}
          </option>
        ))}
      </Select>
      <Select label="Endpoint" value={endpoint ?? ""} onChange={(event) => change({ endpoint: event.target.value })}>
        <option value="">All endpoints</option>
        {endpoints.map((each) => (
          <option key={each.id} value={each.id}>
            {each.title}
          </option>
        ))}
      </Select>
      {(endpoint ?? verdict) !== undefined && (
        <Button kind="quiet" onClick={() => change({ endpoint: undefined, verdict: undefined })}>
          Clear filters
        </Button>
      )}
    </div>
  );
}

function NoDeliveries({ filtered }: { filtered: boolean }) {
  const endpoint = useQuery(endpointsQuery(useEnv())).data?.[0];
  if (filtered) return <Empty title="No delivery matches these filters" why="There may be deliveries outside them." />;
  if (!endpoint)
    return (
      <Empty
        title="No deliveries yet"
        why="No app has defined an endpoint here, so there is no address to send to. Start one:"
        command="npx holdfast dev app.ts"
      />
    );
  const command = `npx holdfast endpoints send ${endpoint.id} --sample ${endpoint.samples[0]?.name ?? "default"}`;
  return (
    <Empty
      title="No deliveries yet"
      why={`Nothing has been sent to ${endpoint.title} yet. Send a correctly signed sample:`}
      command={command}
    />
  );
}
