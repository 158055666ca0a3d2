// Room jobs: runs a job now with a payload of one's choice. Called by JobPage.
import type { JobInfo } from "@holdfast/protocol";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useState } from "react";
import { useTestJob } from "../api/actions.ts";
import { useNow } from "../browser/clock.ts";
import { COMMAND_KEY } from "../browser/device.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Button, Kbd, Select } from "../parts/controls.tsx";
import { Icon } from "../parts/Icon.tsx";
import { type Example, jsonProblem, useExamples } from "./payloads.ts";

const pretty = (value: unknown): string => JSON.stringify(value ?? {}, null, 2);

export function TestTab({ job }: { job: JobInfo }) {
  const [written, setWritten] = useState<string | null>(null);
  const examples = useExamples(job, useNow());
  const text = written ?? pretty(examples[0]?.payload);
  const problem = jsonProblem(text);
  const test = useTestJob(useEnv(), job.id);
  const navigate = useNavigate();
  const run = () => {
    if (problem === null)
      test.mutate(JSON.parse(text), { onSuccess: ({ id }) => void navigate({ to: "/runs/$id", params: { id } }) });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey)) run();
  };
  return (
    <div className="flex max-w-4xl flex-col gap-2.5">
      <div className="flex flex-wrap items-center gap-2">
        <ExamplePicker examples={examples} onPick={(example) => setWritten(pretty(example.payload))} />
        <Button kind="quiet" disabled={problem !== null} onClick={() => setWritten(pretty(JSON.parse(text)))}>
          Format
        </Button>
        <span className="flex-1" />
        <Button kind="primary" icon="play" disabled={problem !== null || test.isPending} onClick={run}>
          {test.isPending ? "Starting…" : "Run test"}
        </Button>
        <Kbd>{COMMAND_KEY}↵</Kbd>
      </div>
      <textarea
        aria-label="Payload as JSON"
        aria-invalid={problem !== null}
        aria-describedby="payload-problem"
        spellCheck={false}
        className="mono min-h-80 w-full resize-y rounded-md border border-line-strong bg-raised p-3 leading-relaxed"
        value={text}
        onChange={(event) => setWritten(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <p id="payload-problem" role="status" className="flex items-center gap-1.5 text-xs text-soft">
        {problem === null ? (
          "A test run does the job for real, marked as a test (ctx.run.isTest)."
        ) : (
          <>
            <Icon name="alarm" className="text-bad" /> <span className="text-bad">{problem}</span>
          </>
        )}
      </p>
    </div>
  );
}

function ExamplePicker({ examples, onPick }: { examples: readonly Example[]; onPick(example: Example): void }) {
  const pick = (id: string) => {
    const example = examples.find((each) => each.id === id);
    if (example) onPick(example);
  };
  if (examples.length === 0) return <span className="text-xs text-soft">No earlier payload and no sample to start from.</span>;
  return (
    <Select label="Start from" onChange={(event) => pick(event.target.value)} defaultValue={examples[0]?.id}>
      {examples.map((example) => (
        <option key={example.id} value={example.id}>
          {example.title}
        </option>
      ))}
    </Select>
  );
}
