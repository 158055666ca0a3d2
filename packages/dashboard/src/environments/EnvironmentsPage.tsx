// Room environments: /environments. Keys and apps of each environment.
import type { EnvironmentInfo } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useRotateKeys } from "../api/actions.ts";
import { environmentsQuery, keysQuery } from "../api/queries.ts";
import { Confirm } from "../parts/Confirm.tsx";
import { Button, CopyButton } from "../parts/controls.tsx";
import { Async, PageHead, Section } from "../parts/layout.tsx";
import { Tag } from "../parts/status.tsx";
import { Apps } from "./Apps.tsx";

export function EnvironmentsPage() {
  const environments = useQuery(environmentsQuery);
  return (
    <>
      <PageHead title="Environments & keys" />
      <Async query={environments} what="environments">
        {(all) => (
          <div className="flex flex-col gap-5 px-4 pb-6">
            {all.map((environment) => (
              <Environment key={environment.slug} environment={environment} />
            ))}
          </div>
        )}
      </Async>
    </>
  );
}

function Environment({ environment }: { environment: EnvironmentInfo }) {
  return (
    <section aria-label={`Environment ${environment.slug}`} className="card p-4">
      <div className="mb-3 flex items-center gap-2">
        <h2 className="text-base font-semibold">{environment.slug}</h2>
        <Tag>{environment.type.toLowerCase()}</Tag>
      </div>
      <div className="flex flex-col gap-4">
        <Keys environment={environment} />
        <Apps env={environment.slug} />
      </div>
    </section>
  );
}

function Keys({ environment }: { environment: EnvironmentInfo }) {
  const [shown, setShown] = useState(false);
  const rotate = useRotateKeys(environment.slug);
  const keys = useQuery({ ...keysQuery(environment.slug), enabled: shown });
  const refresh = () => rotate.mutate(undefined, { onSuccess: () => void (shown && keys.refetch()) });
  const secret = shown ? (keys.data?.secretKey ?? "Loading the key…") : environment.secretKeyPreview;
  return (
    <Section title="API keys" label={`API keys of ${environment.slug}`}>
      <dl className="flex flex-col gap-1.5">
        <KeyRow label="Secret key" text={secret} copy={shown ? keys.data?.secretKey : undefined}>
          <Button kind="quiet" onClick={() => setShown(!shown)} aria-pressed={shown}>
            {shown ? "Hide" : "Reveal"}
          </Button>
          <Confirm
            label="Rotate"
            icon="again"
            kind="danger"
            title={`Rotate the keys of ${environment.slug}?`}
            act="Rotate the keys"
            disabled={rotate.isPending}
            onConfirm={refresh}
          >
            The present keys stop working at once: every app of {environment.slug} needs the new one in HOLDFAST_API_KEY before it
            can connect again.
          </Confirm>
        </KeyRow>
        <KeyRow label="Public key" text={environment.publicKey} copy={environment.publicKey} />
      </dl>
    </Section>
  );
}

interface KeyRowProps {
  label: string;
  text: string;
  copy: string | undefined;
  children?: React.ReactNode;
}

function KeyRow({ label, text, copy, children }: KeyRowProps) {
  return (
    <div className="flex flex-wrap items-center gap-2">
      <dt className="caps w-20">{label}</dt>
      <dd className="flex min-w-0 flex-1 flex-wrap items-center gap-1.5">
        <code className="mono min-w-0 rounded-md border border-line bg-raised px-2 py-1 [overflow-wrap:anywhere]">{text}</code>
        {copy !== undefined && <CopyButton text={copy} label={`Copy the ${label.toLowerCase()}`} />}
        {children}
      </dd>
    </div>
  );
}
