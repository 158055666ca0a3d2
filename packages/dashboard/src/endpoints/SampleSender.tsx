// Room endpoints: sends a provider's sample to an endpoint, correctly signed or wrong in a chosen way, and shows what came back.
import type { EndpointInfo, SendSampleRequest, SendSampleResult } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { explain, useSendSample } from "../api/actions.ts";
import { deliveryQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Button, Select } from "../parts/controls.tsx";
import { Section } from "../parts/layout.tsx";
import { Badge, VERDICT_LOOK } from "../parts/status.tsx";

type Forge = NonNullable<SendSampleRequest["forge"]>;
const FORGES: Record<Forge, string> = {
  valid: "Correctly signed",
  tampered: "Body changed after signing",
  stale: "Signed 6 minutes ago",
  unsigned: "No signature headers",
  "wrong-secret": "Signed with a wrong secret",
};

export function SampleSender({ endpoint }: { endpoint: EndpointInfo }) {
  const sendSample = useSendSample(useEnv(), endpoint.id);
  const [sample, setSample] = useState(endpoint.samples[0]?.name ?? "");
  const [forge, setForge] = useState<Forge>("valid");
  return (
    <Section title="Send a sample">
      {endpoint.samples.length === 0 ? (
        <p className="text-soft">
          The catalogue has no samples for {endpoint.source} yet. Any HTTP client can send to the URL above.
        </p>
      ) : (
        <>
          <div className="flex flex-wrap gap-2">
            <Select label="Sample" value={sample} onChange={(event) => setSample(event.target.value)}>
              {endpoint.samples.map((each) => (
                <option key={each.name} value={each.name}>
                  {each.title}
                </option>
              ))}
            </Select>
            <Select label="Signature" value={forge} onChange={(event) => setForge(event.target.value as Forge)}>
              {Object.entries(FORGES).map(([name, words]) => (
                <option key={name} value={name}>
                  {words}
                </option>
              ))}
            </Select>
            <Button
              kind="primary"
              icon="send"
              disabled={sendSample.isPending}
              onClick={() => sendSample.mutate({ sample, forge })}
            >
              {sendSample.isPending ? "Sending…" : "Send"}
            </Button>
          </div>
          <div role="status" className="mt-2 min-h-6">
            {sendSample.data && <Answer result={sendSample.data} />}
            {sendSample.error && <p className="text-bad">{explain(sendSample.error)}</p>}
          </div>
        </>
      )}
    </Section>
  );
}

/** An endpoint answers as soon as it has stored a request, so its status alone does not say whether the request was believed. */
function Answer({ result }: { result: SendSampleResult }) {
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <p>
        The endpoint answered <strong className="mono">{result.status}</strong>.
      </p>
      {result.deliveryId && <Verdict id={result.deliveryId} />}
    </div>
  );
}

function Verdict({ id }: { id: string }) {
  const delivery = useQuery(deliveryQuery(useEnv(), id)).data;
  return (
    <>
      {delivery && <Badge look={VERDICT_LOOK[delivery.verdict]} />}
      {delivery?.reason && <span className="text-soft">{delivery.reason}</span>}
      <Link to="/deliveries/$id" params={{ id }} className="text-accent hover:underline">
        See the delivery
      </Link>
    </>
  );
}
