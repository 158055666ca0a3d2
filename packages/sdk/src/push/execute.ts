// Room: push. One execution inside one HTTP call: its reports go out while it runs, over the stream or by POST; its end is the answer.
import { type ExecutionStart, PUSH, type TaskReport } from "@holdfast/protocol";
import { type App, unknownJob } from "../client/app.ts";
import { requireKey } from "../client/credentials.ts";
import type { ExecutionEnd } from "../replay/execution.ts";
import { type Reporter, weight } from "../replay/outbox.ts";
import { sleep } from "../runtime/runtime.ts";
import type { Mount } from "./handle.ts";
import { answer, type NormalizedResponse, refuse } from "./respond.ts";

/** How long an unreachable server is tried before the execution is given up. */
const GIVE_UP_MS = 30_000;
const LONGEST_PAUSE_MS = 3000;
/** Reports an execution posts before a stream is opened for it: a short one would not win back what opening costs. */
const SINGLE_REPORTS = 3;

export async function executePushed(request: Request, mount: Mount): Promise<NormalizedResponse> {
  const start = await readStart(request);
  if (!start) return refuse(400, "Invalid execution");
  const leave = mount.stream.enter();
  try {
    const performance = mount.app.execute(start, reporterOf(start.token, mount));
    if (!performance) return answer(200, { items: [], outcome: unknownJob(start) });
    return answerTo(await performance.ended);
  } finally {
    leave();
  }
}

function answerTo(end: ExecutionEnd): NormalizedResponse {
  switch (end.kind) {
    case "ended":
      return answer(200, { items: end.items, outcome: end.outcome });
    case "stale":
      return refuse(409, "The run is no longer this execution's.");
    case "abandoned":
      return refuse(500, `Execution abandoned: ${end.reason}`);
  }
}

async function readStart(request: Request): Promise<ExecutionStart | undefined> {
  const body = (await request.json().catch(() => undefined)) as ExecutionStart | undefined;
  const wellFormed =
    typeof body?.token === "string" &&
    typeof body.run?.id === "string" &&
    typeof body.job?.id === "string" &&
    typeof body.event?.payload === "string" &&
    Array.isArray(body.tasks) &&
    Array.isArray(body.yields);
  return wellFormed ? body : undefined;
}

/** Over the process's stream once it stands; what it does not answer, and all before, is posted. */
function reporterOf(token: string, mount: Mount): Reporter {
  const { app, credentials, stream } = mount;
  const post = postingReporter(token, mount);
  let reports = 0;
  return {
    async report(items) {
      reports += 1;
      if (reports > SINGLE_REPORTS) stream.open(credentials);
      const size = items.reduce((sum, item) => sum + weight(item), 0);
      if (!stream.carries(size, credentials)) return post.report(items);
      const since = app.runtime.elapsed();
      const verdict = await stream.report(token, items);
      if (verdict !== "unanswered") return verdict;
      age(items, app.runtime.elapsed() - since);
      return post.report(items);
    },
  };
}

function postingReporter(token: string, { app, credentials }: Mount): Reporter {
  const url = credentials.apiUrl + PUSH.reportPath(token);
  const headers = { "content-type": "application/json", authorization: `Bearer ${requireKey(credentials)}` };
  return {
    async report(items) {
      const giveUpAt = app.runtime.elapsed() + GIVE_UP_MS;
      for (let attempt = 0; ; attempt++) {
        const result = await send(app, url, { method: "POST", headers, body: JSON.stringify({ items }) });
        if (result.kind !== "retry") return result.kind;
        const pause = Math.max(result.afterMs, Math.min(LONGEST_PAUSE_MS, 100 * 2 ** attempt * (1 + app.runtime.random())));
        if (app.runtime.elapsed() + pause > giveUpAt) throw new Error(`reports cannot be delivered (${result.why})`);
        await sleep(app.runtime, pause);
        age(items, pause);
      }
    },
  };
}

type Sent = { kind: "recorded" } | { kind: "stale" } | { kind: "retry"; why: string; afterMs: number };

async function send(app: App, url: string, init: RequestInit): Promise<Sent> {
  let response: Response;
  try {
    response = await app.runtime.fetch(url, init);
  } catch (error) {
    return { kind: "retry", why: error instanceof Error ? error.message : String(error), afterMs: 0 };
  }
  // Read to its end: undici breaks a connection whose answer is canceled before all of it has arrived, and the next report would dial anew.
  await response.arrayBuffer().catch(() => undefined);
  if (response.ok) return { kind: "recorded" };
  if (response.status === 409) return { kind: "stale" };
  const why = `the server answered ${response.status}`;
  if (response.status < 500 && response.status !== 429) throw new Error(`a report was refused: ${why}`);
  const afterMs = Number(response.headers.get("retry-after") ?? 0) * 1000;
  return { kind: "retry", why, afterMs: Number.isFinite(afterMs) ? afterMs : 0 };
}

/** "Ago" is counted from the sending: a report sent later is older, and what it waits for is nearer. */
function age(items: TaskReport[], ms: number): void {
  for (const item of items) {
    item.startedAgo += ms;
    if (item.endedAgo !== undefined) item.endedAgo += ms;
    if (item.delayMs !== undefined) item.delayMs = Math.max(0, item.delayMs - ms);
  }
}
