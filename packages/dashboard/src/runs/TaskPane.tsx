// Room runs: everything recorded about the selected task, or, when none is, how the run began and ended. Called by RunPage.
import type { RunDetail, TaskView } from "@holdfast/protocol";
import { useNow } from "../browser/clock.ts";
import { ErrorCard, Json } from "../parts/Code.tsx";
import { Button, CopyButton, When } from "../parts/controls.tsx";
import { clockTime, countdown, duration } from "../parts/format.ts";
import { Facts, Section } from "../parts/layout.tsx";
import { asRequest, RequestView } from "../parts/Request.tsx";
import { Badge, Tag } from "../parts/status.tsx";
import { LEVEL_TONE, logLevel, taskLook, taskMs } from "./tree.ts";

const PANE = "flex min-w-0 flex-col gap-4";

export function TaskPane({ task, onClose }: { task: TaskView; onClose(): void }) {
  const level = logLevel(task);
  return (
    <section aria-label="Selected task" className={PANE}>
      <div className="flex items-start gap-2">
        <h2 className="min-w-0 flex-1 text-base font-semibold [overflow-wrap:anywhere]">
          {level ? (task.description ?? task.name) : task.name}
        </h2>
        {level ? <Tag tone={LEVEL_TONE[level]}>{level}</Tag> : <Badge look={taskLook(task)} />}
        <Button kind="icon" icon="cross" aria-label="Close the selected task" onClick={onClose} />
      </div>
      {level === null && task.description && <p className="-mt-2 text-soft">{task.description}</p>}
      <TaskFacts task={task} />
      {task.error && <ErrorCard error={task.error} title="Error" />}
      {task.failures.length > 0 && <Failures task={task} />}
      <Section title={level ? "Data" : "Input"}>
        <Json
          value={task.params ?? undefined}
          label={level ? "log data" : "task input"}
          none={level ? "This line carries no data." : "This task was given no params."}
        />
      </Section>
      {!task.noop && (
        <Section title="Output">
          <Json value={task.output} label="task output" none={task.completedAt ? "This task returned nothing." : "Not yet."} />
        </Section>
      )}
    </section>
  );
}

function TaskFacts({ task }: { task: TaskView }) {
  const now = useNow();
  const ms = taskMs(task, now);
  const facts: [string, React.ReactNode][] = [
    [
      "Started",
      task.startedAt ? (
        <span key="started" title={task.startedAt}>
          {clockTime(task.startedAt)}
        </span>
      ) : (
        "not yet"
      ),
    ],
    ["Took", ms === null ? "–" : duration(ms)],
    ["Attempts", task.attempts],
  ];
  if (task.status === "WAITING" && task.delayUntil)
    facts.push([task.failures.length > 0 ? "Next attempt" : "Until", `in ${countdown(Date.parse(task.delayUntil), now)}`]);
  if (task.key !== null)
    facts.push([
      "Key",
      <span key="key" className="mono">
        {task.key}
      </span>,
    ]);
  facts.push(["Idempotency key", <Short key="idempotency" text={task.idempotencyKey} label="Copy the idempotency key" />]);
  facts.push(["Task", <Short key="id" text={task.id} label="Copy the task's id" />]);
  for (const { label, text, url } of task.properties)
    if (label !== "Level") facts.push([label, <Property key={label} text={text} url={url} />]);
  return <Facts facts={facts} />;
}

const Short = ({ text, label }: { text: string; label: string }) => (
  <span className="inline-flex items-center gap-0.5">
    <span className="mono max-w-40 truncate" title={text}>
      {text}
    </span>
    <CopyButton inline text={text} label={label} />
  </span>
);

/** A property's link is the job's own; only web addresses become links. */
function Property({ text, url }: { text: string; url: string | undefined }) {
  if (!url || !/^https?:\/\//i.test(url)) return text;
  return (
    <a href={url} target="_blank" rel="noreferrer noopener" className="text-accent underline">
      {text}
    </a>
  );
}

function Failures({ task }: { task: TaskView }) {
  return (
    <Section title="Failed attempts">
      <ol className="flex flex-col gap-2">
        {task.failures.map((failure) => (
          <li key={failure.attempt}>
            <ErrorCard error={failure.error} title={`Attempt ${failure.attempt} · ${clockTime(failure.at)}`} />
          </li>
        ))}
      </ol>
    </Section>
  );
}

/** What came out, and what started it; a failed run's error stands above, in the head. */
export function RunPane({ run }: { run: RunDetail }) {
  return (
    <section aria-label="Output and trigger" className={PANE}>
      {run.errorDetail === null && (
        <Section title="Output">
          <Output run={run} />
        </Section>
      )}
      <Section title="Trigger">
        <Trigger run={run} />
      </Section>
    </section>
  );
}

function Output({ run }: { run: RunDetail }) {
  if (run.completedAt === null) return <p className="text-faint">The run has not ended yet.</p>;
  return <Json value={run.output ?? undefined} label="run output" none="The run returned nothing." />;
}

export function Trigger({ run }: { run: RunDetail }) {
  const request = asRequest(run.event.payload);
  return (
    <div className="flex min-w-0 flex-col gap-3">
      <Facts
        facts={[
          [
            "Event",
            <span key="name" className="mono">
              {run.event.name}
            </span>,
          ],
          ["Source", run.event.source],
          ["Received", <When key="at" at={run.event.timestamp} />],
          ["Event id", <Short key="id" text={run.event.id} label="Copy the event's id" />],
        ]}
      />
      {run.event.payloadType === "REQUEST" && request ? (
        <RequestView request={request} />
      ) : (
        <Json value={run.event.payload} label="event payload" none="The event has no payload." />
      )}
    </div>
  );
}
