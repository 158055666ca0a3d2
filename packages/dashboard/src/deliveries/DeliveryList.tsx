// Room deliveries: rows of received requests, on the deliveries page. Promises: newest first, live, more pages by cursor.
import type { DeliverySummary } from "@holdfast/protocol";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useMemo } from "react";
import type { Query } from "../api/client.ts";
import { deliveriesQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { When } from "../parts/controls.tsx";
import { bytes } from "../parts/format.ts";
import { type Column, Grid } from "../parts/Grid.tsx";
import { Async } from "../parts/layout.tsx";
import { INK, Status, VERDICT_LOOK } from "../parts/status.tsx";

function Request({ delivery }: { delivery: DeliverySummary }) {
  return (
    <>
      <Link to="/deliveries/$id" params={{ id: delivery.id }} className="block truncate font-medium hover:underline">
        {delivery.endpoint ?? "no endpoint"}
      </Link>
      {delivery.reason ? (
        <span className={`block truncate text-xs ${INK[VERDICT_LOOK[delivery.verdict].tone]}`}>{delivery.reason}</span>
      ) : (
        <span className="mono block truncate text-xs text-faint">
          {delivery.method} {delivery.path}
        </span>
      )}
    </>
  );
}

function Runs({ delivery }: { delivery: DeliverySummary }) {
  const [first, ...rest] = delivery.runs;
  if (first === undefined) return <span className="text-faint">none</span>;
  return (
    <Link to="/runs/$id" params={{ id: first }} className="text-accent hover:underline">
      {rest.length === 0 ? "1 run" : `${rest.length + 1} runs`}
    </Link>
  );
}

const COLUMNS: Column<DeliverySummary>[] = [
  { title: "Verdict", width: "7rem", narrow: "6rem", cell: (delivery) => <Status look={VERDICT_LOOK[delivery.verdict]} /> },
  { title: "Endpoint", width: "minmax(10rem,2fr)", narrow: "minmax(0,1fr)", cell: (delivery) => <Request delivery={delivery} /> },
  { title: "Answered", width: "5rem", cell: (delivery) => <span className="mono">{delivery.status}</span> },
  {
    title: "Sender’s id",
    width: "minmax(7rem,1fr)",
    cell: (delivery) => <span className="mono text-soft">{delivery.senderId ?? "–"}</span>,
  },
  { title: "Size", width: "5rem", cell: (delivery) => bytes(delivery.size) },
  { title: "Runs", width: "4.5rem", cell: (delivery) => <Runs delivery={delivery} /> },
  { title: "Received", width: "5.5rem", narrow: "4rem", cell: (delivery) => <When at={delivery.receivedAt} /> },
];

export function DeliveryList({ query, empty }: { query: Query; empty: ReactNode }) {
  const deliveries = useInfiniteQuery(deliveriesQuery(useEnv(), query));
  const rows = useMemo(() => deliveries.data?.pages.flatMap((page) => page.items) ?? [], [deliveries.data]);
  const more = { has: deliveries.hasNextPage, busy: deliveries.isFetchingNextPage, load: () => void deliveries.fetchNextPage() };
  return (
    <Async query={deliveries} what="deliveries">
      {() =>
        rows.length === 0 ? (
          empty
        ) : (
          <Grid label="Deliveries" rows={rows} columns={COLUMNS} href={(delivery) => `/deliveries/${delivery.id}`} more={more} />
        )
      }
    </Async>
  );
}
