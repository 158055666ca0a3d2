// Room jobs: /jobs/:id?tab=skipped. Events that started no run of the job because of its rateLimit or debounce, and why. Newest first, more pages by a button.
import type { Skip } from "@holdfast/protocol";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { skipsQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Button, When } from "../parts/controls.tsx";
import { Async, Empty } from "../parts/layout.tsx";
import { Tag } from "../parts/status.tsx";

export function SkippedTab({ job }: { job: string }) {
  const skips = useInfiniteQuery(skipsQuery(useEnv(), job));
  const rows = skips.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Async query={skips} what="skipped events">
      {() => (
        <>
          {rows.length === 0 && (
            <Empty
              title="No event was skipped"
              why="Every event that fits the trigger has started a run, as far as events are kept."
            />
          )}
          <ul aria-label="Skipped events" className="flex max-w-4xl flex-col">
            {rows.map((skip) => (
              <SkipRow key={skip.eventRowId} skip={skip} />
            ))}
          </ul>
          {skips.hasNextPage && (
            <Button className="mt-3" disabled={skips.isFetchingNextPage} onClick={() => void skips.fetchNextPage()}>
              Show more
            </Button>
          )}
        </>
      )}
    </Async>
  );
}

function SkipRow({ skip }: { skip: Skip }) {
  const name = skip.delivery ? (
    <Link to="/deliveries/$id" params={{ id: skip.delivery }} className="text-accent hover:underline">
      {skip.eventName}
    </Link>
  ) : (
    skip.eventName
  );
  return (
    <li className="flex flex-col gap-0.5 border-b border-line py-2">
      <span className="flex flex-wrap items-center gap-2">
        <Tag tone="wait">{skip.reason}</Tag>
        <span className="font-medium [overflow-wrap:anywhere]">{name}</span>
        <span className="mono text-xs text-faint [overflow-wrap:anywhere]">{skip.eventId}</span>
        <span className="ml-auto text-soft">
          <When at={skip.at} />
        </span>
      </span>
      <span className="text-soft [overflow-wrap:anywhere]">{skip.why}</span>
    </li>
  );
}
