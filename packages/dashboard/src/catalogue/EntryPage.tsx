// Room catalogue: /catalogue/:id. One API: code that runs as it stands, its sample events, and how its signature works.
import type { CatalogueEntry } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { Tabs } from "radix-ui";
import { catalogueEntryQuery } from "../api/queries.ts";
import { Code, Json } from "../parts/Code.tsx";
import { languageOf } from "../parts/highlight.ts";
import { Async, Facts, PageHead, Section } from "../parts/layout.tsx";
import { Tag } from "../parts/status.tsx";
import { Words } from "../parts/Words.tsx";

export function EntryPage() {
  const { id } = useParams({ from: "/catalogue/$id" });
  const entry = useQuery(catalogueEntryQuery(id));
  return (
    <Async query={entry} what="catalogue entry">
      {(data) => <Entry entry={data} />}
    </Async>
  );
}

function Entry({ entry }: { entry: CatalogueEntry }) {
  const docs = (
    <a href={entry.docsUrl} target="_blank" rel="noreferrer noopener" className="text-accent underline">
      {entry.docsUrl}
    </a>
  );
  return (
    <>
      <PageHead title={entry.name} parent={{ to: "/catalogue", title: "Catalogue" }} badge={<Tag>{entry.category}</Tag>} />
      <div className="flex max-w-5xl flex-col gap-6 px-4 pb-8">
        <p className="text-soft">
          <Words text={entry.summary} />
        </p>
        <Facts
          facts={[
            ["Provider’s documentation", docs],
            [
              "Secret",
              entry.secretEnv ? (
                <code key="env" className="mono">
                  {entry.secretEnv}
                </code>
              ) : (
                "none"
              ),
            ],
          ]}
        />
        {entry.samples.map((sample) => (
          <Sample key={sample.id} sample={sample} />
        ))}
        {entry.signature && <Signature signature={entry.signature} />}
        {entry.events.length > 0 && <Events events={entry.events} />}
      </div>
    </>
  );
}

const FILE_TAB =
  "rounded-md px-2 py-1 font-mono text-xs text-soft hover:bg-hover data-[state=active]:bg-selected data-[state=active]:text-ink";

function Sample({ sample }: { sample: CatalogueEntry["samples"][number] }) {
  return (
    <Section title={sample.title}>
      <p className="mb-2 text-soft">
        <Words text={sample.description} />
      </p>
      <Tabs.Root defaultValue={sample.files[0]?.name ?? ""}>
        <Tabs.List aria-label={`Files of ${sample.title}`} className="mb-1.5 flex flex-wrap gap-1">
          {sample.files.map((file) => (
            <Tabs.Trigger key={file.name} value={file.name} className={FILE_TAB}>
              {file.name}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {sample.files.map((file) => (
          <Tabs.Content key={file.name} value={file.name}>
            <Code text={file.code} language={languageOf(file.language)} label={file.name} />
          </Tabs.Content>
        ))}
      </Tabs.Root>
    </Section>
  );
}

function Signature({ signature }: { signature: NonNullable<CatalogueEntry["signature"]> }) {
  return (
    <Section title="How its signature works">
      <Facts
        facts={[
          ["Scheme", signature.scheme],
          [
            "Headers",
            <span key="headers" className="mono">
              {signature.headers.join(", ")}
            </span>,
          ],
          ["Signed", <Words key="signed" text={signature.signs} />],
          ["Secret", <Words key="secret" text={signature.secret} />],
        ]}
      />
      {signature.mistakes.length > 0 && (
        <>
          <h3 className="caps mt-3 mb-1">What goes wrong</h3>
          <ul className="list-disc pl-5 text-soft">
            {signature.mistakes.map((mistake) => (
              <li key={mistake}>
                <Words text={mistake} />
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

const Events = ({ events }: { events: CatalogueEntry["events"] }) => (
  <Section title="Sample events">
    <ul className="card divide-y divide-line">
      {events.map((event) => (
        <li key={event.name}>
          <details className="group">
            <summary className="px-3 py-2 hover:bg-hover">
              <span className="mono font-medium">{event.name}</span> <span className="text-soft">{event.title}</span>
            </summary>
            <div className="px-3 pb-3">
              <Json value={event.body} label={`sample ${event.name}`} />
            </div>
          </details>
        </li>
      ))}
    </ul>
  </Section>
);
