// Room deliveries: /deliveries/:id. One request as it arrived: verdict and why, headers, every byte of the body, and what it started.
import type { DeliveryDetail } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { useReplayDelivery } from "../api/actions.ts";
import { deliveryQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Code, prettyBody } from "../parts/Code.tsx";
import { Button, CopyButton, When } from "../parts/controls.tsx";
import { bytes } from "../parts/format.ts";
import { Icon } from "../parts/Icon.tsx";
import { Async, Facts, PageHead, Section } from "../parts/layout.tsx";
import { Headers, RequestLine } from "../parts/Request.tsx";
import { Badge, INK, VERDICT_LOOK } from "../parts/status.tsx";
import { asText, decodeBase64, hexRows, toCurl } from "./body.ts";
import { explainVerdict } from "./reason.ts";

export function DeliveryPage() {
  const { id } = useParams({ from: "/deliveries/$id" });
  const delivery = useQuery(deliveryQuery(useEnv(), id));
  return (
    <Async query={delivery} what="delivery">
      {(data) => <LoadedDelivery delivery={data} />}
    </Async>
  );
}

function LoadedDelivery({ delivery }: { delivery: DeliveryDetail }) {
  const title = `${delivery.endpoint ?? "No endpoint"}`;
  return (
    <>
      <PageHead
        title={title}
        parent={{ to: "/deliveries", title: "Deliveries" }}
        badge={<Badge look={VERDICT_LOOK[delivery.verdict]} />}
        actions={<Actions delivery={delivery} />}
      />
      <div className="flex flex-col gap-5 px-4 pb-6">
        <Verdict delivery={delivery} />
        <DeliveryFacts delivery={delivery} />
        <RequestLine method={delivery.method} url={delivery.url} />
        <div className="grid min-w-0 gap-5 lg:grid-cols-5">
          <Section title="Body" className="lg:col-span-3">
            <Body delivery={delivery} />
          </Section>
          <Section title={`Headers (${delivery.headers.length})`} className="lg:col-span-2">
            <Headers headers={delivery.headers} />
          </Section>
        </div>
      </div>
    </>
  );
}

function Actions({ delivery }: { delivery: DeliveryDetail }) {
  const replay = useReplayDelivery(useEnv());
  const navigate = useNavigate();
  // The server could not: there is no app to verify it, or only the beginning of it was kept.
  const replayable = delivery.endpoint !== null && !delivery.bodyTruncated;
  const again = () =>
    replay.mutate(delivery.id, { onSuccess: ({ id }) => void navigate({ to: "/deliveries/$id", params: { id } }) });
  return (
    <>
      <CopyButton text={toCurl(delivery)} label="Copy as cURL">
        Copy as cURL
      </CopyButton>
      {replayable && (
        <Button kind="primary" icon="again" onClick={again} disabled={replay.isPending}>
          {replay.isPending ? "Replaying…" : "Replay"}
        </Button>
      )}
    </>
  );
}

function Verdict({ delivery }: { delivery: DeliveryDetail }) {
  const look = VERDICT_LOOK[delivery.verdict];
  const { means, next } = explainVerdict(delivery);
  return (
    <div className="card flex gap-3 p-3">
      <Icon name={look.icon} size={18} className={`mt-0.5 ${INK[look.tone]}`} />
      <div className="min-w-0">
        <p className={`font-semibold [overflow-wrap:anywhere] ${INK[look.tone]}`}>
          {look.word}
          {delivery.reason ? `: ${delivery.reason}` : ""}
        </p>
        <p className="text-soft">
          {means} {next}
        </p>
      </div>
    </div>
  );
}

function DeliveryFacts({ delivery }: { delivery: DeliveryDetail }) {
  const runs =
    delivery.runs.length === 0
      ? "none"
      : delivery.runs.map((id) => (
          <Link key={id} to="/runs/$id" params={{ id }} className="mono mr-3 text-accent hover:underline">
            {id}
          </Link>
        ));
  const endpoint = delivery.endpoint ? (
    <Link to="/endpoints/$id" params={{ id: delivery.endpoint }} className="text-accent hover:underline">
      {delivery.endpoint}
    </Link>
  ) : (
    "none has this address"
  );
  return (
    <Facts
      facts={[
        ["Endpoint", endpoint],
        ["Received", <When key="at" at={delivery.receivedAt} />],
        [
          "Answered",
          <span key="status" className="mono">
            {delivery.status}
          </span>,
        ],
        ["Size", `${bytes(delivery.size)}${delivery.bodyTruncated ? " (stored in part)" : ""}`],
        [
          "Sender’s id",
          <span key="sender" className="mono">
            {delivery.senderId ?? "none sent"}
          </span>,
        ],
        [
          "Delivery",
          <span key="id" className="mono">
            {delivery.id}
          </span>,
        ],
        ["Runs", runs],
        ...delivery.skipped.map(({ job, why }): [string, ReactNode] => [`No run of ${job}`, why]),
      ]}
    />
  );
}

const HEX_LIMIT = 4_096;

function Body({ delivery }: { delivery: DeliveryDetail }) {
  const body = useMemo(() => decodeBase64(delivery.bodyBase64), [delivery.bodyBase64]);
  const text = useMemo(() => asText(body), [body]);
  const [view, setView] = useState<"pretty" | "raw" | "hex">(text === null ? "hex" : "pretty");
  if (body.length === 0) return <p className="text-faint">The request has no body.</p>;
  const views = text === null ? (["hex"] as const) : (["pretty", "raw", "hex"] as const);
  return (
    <div className="flex flex-col gap-2">
      <fieldset className="flex gap-1">
        <legend className="sr-only">Show the body as</legend>
        {views.map((each) => (
          <Button
            key={each}
            kind="quiet"
            aria-pressed={view === each}
            className={`capitalize ${view === each ? "bg-selected text-ink" : ""}`}
            onClick={() => setView(each)}
          >
            {each}
          </Button>
        ))}
      </fieldset>
      {text === null && <p className="text-xs text-soft">These bytes are not UTF-8 text.</p>}
      <BodyView body={body} text={text} view={view} />
      {delivery.bodyTruncated && <p className="text-xs text-soft">Only the first {bytes(body.length)} were stored.</p>}
    </div>
  );
}

function BodyView({ body, text, view }: { body: Uint8Array; text: string | null; view: "pretty" | "raw" | "hex" }) {
  const [limit, setLimit] = useState(HEX_LIMIT);
  if (text !== null && view === "raw") return <Code text={text} label="raw body" wrap />;
  if (text !== null && view === "pretty") return <Code {...prettyBody(text)} label="request body" wrap />;
  return (
    <>
      <Code text={hexRows(body, limit).join("\n")} label="body in hex" />
      {limit < body.length && (
        <Button kind="quiet" className="self-start" onClick={() => setLimit(limit * 4)}>
          Show more bytes
        </Button>
      )}
    </>
  );
}
