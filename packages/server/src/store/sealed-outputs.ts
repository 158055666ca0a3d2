// Room: store. A store that keeps no credentials in clear: what `io.getAuth` gave a run is recorded with its task, so that a replay gives it again, and is sealed on
// its way in and opened on its way out. Put around the real store by main. Views read the tables themselves and show nothing of it (views/hidden.ts).
import type { Vault } from "../platform/secrets.ts";
import type { Store, TaskRow, TaskWrite } from "./store.ts";

/** What both SDKs name the task of `io.getAuth`. */
const GET_AUTH = "get-auth";
/** The one field of an output that is sealed. */
export const SEALED_OUTPUT = "$sealed";

/** @example const store = withSealedOutputs(postgres.store, vault) */
export function withSealedOutputs(store: Store, vault: Pick<Vault, "seal" | "open">): Store {
  const sealed = (write: TaskWrite): TaskWrite => {
    const { task } = write;
    if (task.name !== GET_AUTH || task.outputText === null) return write;
    const outputText = JSON.stringify({ [SEALED_OUTPUT]: vault.seal(task.outputText, purposeOf(task)) });
    return { ...write, task: { ...task, outputText } };
  };
  const opened = (task: TaskRow): TaskRow => {
    if (task.name !== GET_AUTH || task.outputText === null) return task;
    const output = JSON.parse(task.outputText) as Record<string, unknown> | null;
    const text = output?.[SEALED_OUTPUT];
    return typeof text === "string" ? { ...task, outputText: vault.open(text, purposeOf(task)) } : task;
  };
  return {
    ...store,
    recordTask: (write) => store.recordTask(sealed(write)),
    changeRun: (change) => store.changeRun(change.tasks.length > 0 ? { ...change, tasks: change.tasks.map(sealed) } : change),
    openTask: async (environmentId, task) => {
      const found = await store.openTask(environmentId, task);
      return found && { ...found, task: opened(found.task) };
    },
    tasks: async (runId, query) => (await store.tasks(runId, query)).map(opened),
  };
}

function purposeOf({ runId, key }: Pick<TaskRow, "runId" | "key">): string {
  return `task:${runId}:${key}`;
}
