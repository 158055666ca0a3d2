// Room runs: /runs/:id. One run, complete: what started it, every task, what came out, and the two things one can do about it.
import type { RunDetail, TaskView } from "@holdfast/protocol";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Tabs } from "radix-ui";
import { useMemo } from "react";
import { useCancelRun, useContinueRun, useRerun } from "../api/actions.ts";
import { runQuery, tasksQuery } from "../api/queries.ts";
import { useNow } from "../browser/clock.ts";
import { useEnv } from "../chrome/environment.tsx";
import { ErrorCard, Json } from "../parts/Code.tsx";
import { Confirm } from "../parts/Confirm.tsx";
import { CopyButton, When } from "../parts/controls.tsx";
import { countdown } from "../parts/format.ts";
import { Icon } from "../parts/Icon.tsx";
import { Async, Empty, Facts, PageHead } from "../parts/layout.tsx";
import { Badge, isFinal, RUN_LOOK, Tag } from "../parts/status.tsx";
import { LogsTab } from "./LogsTab.tsx";
import { RunPane, TaskPane, Trigger } from "./TaskPane.tsx";
import { TaskTree } from "./TaskTree.tsx";
import { split } from "./tree.ts";

export function RunPage() {
  const { id } = useParams({ from: "/runs/$id" });
  const run = useQuery(runQuery(useEnv(), id));
  return (
    <Async query={run} what="run">
      {(data) => <LoadedRun run={data} />}
    </Async>
  );
}

/** All tasks known so far; until the pages arrive, those that came with the run. */
function useTasks(run: RunDetail): readonly TaskView[] {
  const env = useEnv();
  const client = useQueryClient();
  const pages = useQuery(tasksQuery(env, run.id, client)).data;
  return useMemo(() => pages?.flatMap((page) => page.items) ?? run.tasks.items, [pages, run.tasks.items]);
}

function LoadedRun({ run }: { run: RunDetail }) {
  const tasks = useTasks(run);
  return (
    <div className="flex min-h-full flex-col md:h-full">
      <PageHead
        title={run.jobName}
        parent={{ to: "/runs", title: "Runs" }}
        badge={<RunBadges run={run} />}
        actions={<RunActions run={run} />}
      />
      <div className="flex flex-col gap-3 px-4 pb-3">
        <RunFacts run={run} />
        {run.errorDetail && <ErrorCard error={run.errorDetail} />}
        <ResumeNote run={run} />
      </div>
      <RunTabs run={run} tasks={tasks} />
    </div>
  );
}

const RunBadges = ({ run }: { run: RunDetail }) => (
  <>
    <Badge look={RUN_LOOK[run.status]} />
    {run.isTest && <Tag>test</Tag>}
  </>
);

function RunActions({ run }: { run: RunDetail }) {
  const env = useEnv();
  const navigate = useNavigate();
  const cancel = useCancelRun(env);
  const rerun = useRerun(env);
  const resume = useContinueRun(env);
  const again = () => rerun.mutate(run.id, { onSuccess: ({ id }) => void navigate({ to: "/runs/$id", params: { id } }) });
  return (
    <>
      {!isFinal(run.status) && (
        <Confirm
          label="Cancel"
          icon="stop"
          kind="danger"
          title="Cancel this run?"
          act="Cancel the run"
          disabled={cancel.isPending}
          onConfirm={() => cancel.mutate(run.id)}
        >
          Its finished tasks stay recorded. A task that is running now may still finish in your app, but nothing is started after
          it.
        </Confirm>
      )}
      {isFinal(run.status) && run.status !== "SUCCESS" && (
        <Confirm
          label="Continue"
          icon="play"
          title="Continue this run?"
          act="Continue the run"
          disabled={resume.isPending}
          onConfirm={() => resume.mutate(run.id)}
        >
          Tasks that finished keep their outputs and are not done again; the job goes on from the one that failed.
        </Confirm>
      )}
      <Confirm
        label="Run again"
        icon="again"
        title="Run this again?"
        act="Run again"
        disabled={rerun.isPending}
        onConfirm={again}
      >
        A new run of {run.jobName} starts in {env} with the same event. Its tasks are done anew, including any call to other
        services.
      </Confirm>
    </>
  );
}

function RunFacts({ run }: { run: RunDetail }) {
  const now = useNow();
  const id = (
    <span className="inline-flex items-center">
      <span className="mono">{run.id}</span>
      <CopyButton inline text={run.id} label="Copy the run's id" />
    </span>
  );
  return (
    <Facts
      facts={[
        ["Run", id],
        [
          "Job",
          <Link key="job" to="/jobs/$id" params={{ id: run.job }} className="text-accent hover:underline">
            {run.job}
          </Link>,
        ],
        ["Version", run.version],
        ["Trigger", <TriggerLink key="trigger" run={run} />],
        ["App", run.app.slug],
        ["Started", <When key="started" at={run.startedAt} none="not yet" />],
        ["Took", split(run, now)],
        ["Executions", run.executions],
      ]}
    />
  );
}

function TriggerLink({ run }: { run: RunDetail }) {
  if (!run.delivery) return <span className="mono">{run.event.name}</span>;
  return (
    <Link
      to="/deliveries/$id"
      params={{ id: run.delivery.id }}
      className="inline-flex items-center gap-1 text-accent hover:underline"
    >
      <Icon name="webhook" size={12} />
      {run.delivery.endpoint} delivery
    </Link>
  );
}

function ResumeNote({ run }: { run: RunDetail }) {
  const now = useNow();
  if (run.status === "WAITING_ON_CONNECTIONS") return <ConnectNote />;
  if (run.resumeAt === null || isFinal(run.status)) return null;
  return (
    <p className="flex items-center gap-2 rounded-md bg-wait-soft px-2.5 py-1.5 text-wait">
      <Icon name="hourglass" />
      <span>
        Continues in {countdown(Date.parse(run.resumeAt), now)}, at{" "}
        <time dateTime={run.resumeAt}>{new Date(run.resumeAt).toLocaleString()}</time>. Nothing runs meanwhile.
      </span>
    </p>
  );
}

const ConnectNote = () => (
  <p className="flex items-center gap-2 rounded-md bg-wait-soft px-2.5 py-1.5 text-wait">
    <Icon name="hourglass" />
    <span>
      Waits until an integration of its job is connected, on the{" "}
      <Link to="/integrations" className="underline">
        Integrations
      </Link>{" "}
      page. It goes on by itself then.
    </span>
  </p>
);

const TABS = ["tasks", "logs", "payload", "raw"] as const;

function RunTabs({ run, tasks }: { run: RunDetail; tasks: readonly TaskView[] }) {
  const search = useSearch({ from: "/runs/$id" });
  const navigate = useNavigate({ from: "/runs/$id" });
  const tab = TABS.find((each) => each === search.tab) ?? "tasks";
  const show = (next: string) => void navigate({ search: (now) => ({ ...now, tab: next }), replace: true });
  return (
    <Tabs.Root value={tab} onValueChange={show} className="flex min-h-0 flex-1 flex-col">
      <Tabs.List aria-label="Views of this run" className="flex gap-1 border-b border-line px-4">
        {TABS.map((each) => (
          <Tabs.Trigger
            key={each}
            value={each}
            className="-mb-px border-b-2 border-transparent px-2.5 py-1.5 text-soft capitalize hover:text-ink data-[state=active]:border-accent data-[state=active]:font-semibold data-[state=active]:text-ink"
          >
            {each}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      <Tabs.Content value="tasks" className="flex min-h-0 flex-1 flex-col">
        <TasksTab run={run} tasks={tasks} />
      </Tabs.Content>
      <Tabs.Content value="logs" className="flex min-h-0 flex-1 flex-col p-4">
        <LogsTab tasks={tasks} />
      </Tabs.Content>
      <Tabs.Content value="payload" className="min-h-0 flex-1 overflow-auto p-4">
        <div className="max-w-4xl">
          <Trigger run={run} />
        </div>
      </Tabs.Content>
      <Tabs.Content value="raw" className="min-h-0 flex-1 overflow-auto p-4">
        <Json value={{ ...run, tasks }} label="run as JSON" />
      </Tabs.Content>
    </Tabs.Root>
  );
}

function TasksTab({ run, tasks }: { run: RunDetail; tasks: readonly TaskView[] }) {
  const { task: selected } = useSearch({ from: "/runs/$id" });
  const navigate = useNavigate({ from: "/runs/$id" });
  const task = tasks.find((each) => each.id === selected);
  const span = { from: Date.parse(run.startedAt ?? run.createdAt), to: run.completedAt ? Date.parse(run.completedAt) : null };
  const select = (id: string | undefined) =>
    void navigate({ search: ({ task: _, ...rest }) => (id === undefined ? rest : { ...rest, task: id }), replace: true });
  return (
    <div className="flex min-h-0 flex-1 flex-col gap-4 p-4 lg:flex-row">
      <div className="flex min-h-0 min-w-0 flex-3 flex-col max-lg:max-h-[55dvh] max-lg:flex-none">
        {tasks.length > 0 ? <TaskTree tasks={tasks} span={span} selected={selected} onSelect={select} /> : <NoTasks run={run} />}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a pane that scrolls must be reachable by keyboard. */}
      <aside aria-label="Details" tabIndex={0} className="min-w-0 flex-2 lg:overflow-auto lg:pr-1">
        {task ? <TaskPane task={task} onClose={() => select(undefined)} /> : <RunPane run={run} />}
      </aside>
    </div>
  );
}

function NoTasks({ run }: { run: RunDetail }) {
  if (!isFinal(run.status)) return <Empty title="No tasks yet" why="They appear here as the job starts them." />;
  return (
    <Empty
      title="This run recorded no tasks"
      why="Work inside io.runTask is recorded, so it survives a crash and is never done twice."
      command={'await io.runTask("send-mail", async () => send(mail));'}
    />
  );
}
