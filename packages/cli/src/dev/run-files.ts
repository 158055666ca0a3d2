// Room: dev. The user's files: run, watched, and run again on every change. Called by dev.ts.
// Promise: a program that crashes, or makes no app, says so, and whether it is started again or waits for the next change.
import { relative, resolve } from "node:path";
import type { Context } from "../commands/context.ts";
import { workspaceAbove } from "../project/project.ts";
import type { Announcer } from "./announce.ts";
import { type AppEvent, createAppProcess } from "./app-process.ts";
import { watchProgram } from "./watch.ts";

export interface FilesToRun {
  /** Absolute paths. */
  files: string[];
  env: Record<string, string | undefined>;
  announcer: Announcer;
}

export function runFiles(context: Context, { files, env, announcer }: FilesToRun): { stop(): Promise<void> } {
  const { world, output } = context;
  const app = createAppProcess(world, {
    files,
    cwd: world.cwd,
    env,
    stdout: output.json ? 2 : 1,
    onEvent: (event) => {
      tell(context, event);
      void announcer.look().catch(() => {});
    },
    onFile: (path, changedAt) => watcher.add(path, changedAt),
  });
  const watcher = watchProgram(world, {
    files,
    // Sources of other members of the workspace are the project's, too.
    root: resolve(world.cwd, workspaceAbove(world.cwd)?.up ?? "."),
    onChange(path) {
      output.note(output.paint("dim", `  ${relative(world.cwd, path)} changed; starting your program again.`));
      void app.reload();
    },
  });
  void watcher.ready.then(() => app.reload());
  return {
    async stop() {
      await Promise.all([watcher.close(), app.stop()]);
    },
  };
}

/** Commentary for a person; with --json, events on stdout. */
function tell({ output }: Context, event: AppEvent): void {
  const [value, text] = words(event);
  if (output.json) output.event(value, "");
  else if (text) output.note(text);
}

function words(event: AppEvent): [value: object, text: string] {
  switch (event.holdfast) {
    case "connected":
      return [{ type: "app", clients: event.clients }, ""];
    case "empty":
      return [
        { type: "error", code: "NO_APP" },
        "  Your files made no TriggerClient, so there are no jobs. Waiting for a change.",
      ];
    case "twice":
      return [
        { type: "error", code: "TWICE", client: event.client },
        `  Your files make several TriggerClients with the id "${event.client}". Only the first is connected: jobs of the others do not run.\n` +
          "  Make one, export it, and define all jobs on it, or give each an id of its own.",
      ];
    case "refused":
      return [{ type: "error", code: "REFUSED", ...event }, `  The server refused the app "${event.client}": ${event.message}`];
    case "crashed":
      return [
        { type: "error", code: "CRASHED", how: event.how, again: event.again },
        `  Your program ${event.how}. ${event.again ? "Starting it again." : "Waiting for a change."}`,
      ];
  }
}
