// Room parts: the one glossary of statuses: word, icon and tone for every run, task and verdict, and the groups the filter offers.
// Called by every screen. A status never shows as colour alone: icon and word always come together.
import type { DeliveryVerdict, RunStatus, TaskStatus } from "@holdfast/protocol";
import { Icon, type IconName } from "./Icon.tsx";

export type Tone = "ok" | "bad" | "run" | "wait" | "mute";

export interface Look {
  word: string;
  icon: IconName;
  tone: Tone;
}

const QUEUED: Look = { word: "Queued", icon: "queue", tone: "mute" };
const RUNNING: Look = { word: "Running", icon: "spinner", tone: "run" };

export const RUN_LOOK: Record<RunStatus, Look> = {
  PENDING: QUEUED,
  QUEUED,
  WAITING_TO_EXECUTE: QUEUED,
  PREPROCESSING: { word: "Preparing", icon: "spinner", tone: "run" },
  WAITING_ON_CONNECTIONS: { word: "Needs connection", icon: "hourglass", tone: "wait" },
  STARTED: RUNNING,
  EXECUTING: RUNNING,
  WAITING_TO_CONTINUE: { word: "Waiting", icon: "hourglass", tone: "wait" },
  SUCCESS: { word: "Completed", icon: "check", tone: "ok" },
  FAILURE: { word: "Failed", icon: "cross", tone: "bad" },
  ABORTED: { word: "Aborted", icon: "cross", tone: "bad" },
  INVALID_PAYLOAD: { word: "Invalid payload", icon: "cross", tone: "bad" },
  UNRESOLVED_AUTH: { word: "Needs auth", icon: "key", tone: "bad" },
  TIMED_OUT: { word: "Timed out", icon: "alarm", tone: "bad" },
  CANCELED: { word: "Canceled", icon: "stop", tone: "mute" },
};

/** Which runs are over. A table rather than a list, so a new status does not compile until it is placed. */
const FINAL: Record<RunStatus, boolean> = {
  PENDING: false,
  QUEUED: false,
  WAITING_TO_EXECUTE: false,
  PREPROCESSING: false,
  WAITING_ON_CONNECTIONS: false,
  STARTED: false,
  EXECUTING: false,
  WAITING_TO_CONTINUE: false,
  SUCCESS: true,
  FAILURE: true,
  ABORTED: true,
  INVALID_PAYLOAD: true,
  UNRESOLVED_AUTH: true,
  TIMED_OUT: true,
  CANCELED: true,
};
export const isFinal = (status: RunStatus): boolean => FINAL[status];

export const TASK_LOOK: Record<TaskStatus, Look> = {
  PENDING: { word: "Pending", icon: "queue", tone: "mute" },
  WAITING: { word: "Waiting", icon: "hourglass", tone: "wait" },
  RUNNING,
  COMPLETED: { word: "Completed", icon: "check", tone: "ok" },
  ERRORED: { word: "Failed", icon: "cross", tone: "bad" },
  CANCELED: { word: "Canceled", icon: "stop", tone: "mute" },
};

export const VERDICT_LOOK: Record<DeliveryVerdict, Look> = {
  pending: { word: "Pending", icon: "hourglass", tone: "wait" },
  verified: { word: "Verified", icon: "shield", tone: "ok" },
  refused: { word: "Refused", icon: "shieldOff", tone: "bad" },
  duplicate: { word: "Duplicate", icon: "twin", tone: "mute" },
};

/** What the filter offers: words of people, each standing for v2 names. */
export const RUN_GROUPS: Record<string, { look: Look; statuses: RunStatus[] }> = {
  queued: { look: QUEUED, statuses: ["PENDING", "QUEUED", "WAITING_TO_EXECUTE", "PREPROCESSING", "WAITING_ON_CONNECTIONS"] },
  running: { look: RUNNING, statuses: ["STARTED", "EXECUTING"] },
  waiting: { look: RUN_LOOK.WAITING_TO_CONTINUE, statuses: ["WAITING_TO_CONTINUE"] },
  completed: { look: RUN_LOOK.SUCCESS, statuses: ["SUCCESS"] },
  failed: { look: RUN_LOOK.FAILURE, statuses: ["FAILURE", "ABORTED", "INVALID_PAYLOAD", "UNRESOLVED_AUTH"] },
  timedout: { look: RUN_LOOK.TIMED_OUT, statuses: ["TIMED_OUT"] },
  canceled: { look: RUN_LOOK.CANCELED, statuses: ["CANCELED"] },
};

export const INK: Record<Tone, string> = {
  ok: "text-ok",
  bad: "text-bad",
  run: "text-run",
  wait: "text-wait",
  mute: "text-soft",
};
export const FILL: Record<Tone, string> = { ok: "bg-ok", bad: "bg-bad", run: "bg-run", wait: "bg-wait", mute: "bg-faint" };
const SOFT: Record<Tone, string> = {
  ok: "bg-ok-soft text-ok",
  bad: "bg-bad-soft text-bad",
  run: "bg-run-soft text-run",
  wait: "bg-wait-soft text-wait",
  mute: "bg-sunken text-soft",
};

/** Icon and word in the status's ink. */
export function Status({ look, className = "" }: { look: Look; className?: string }) {
  return (
    <span
      className={`inline-flex items-center gap-1.5 align-middle whitespace-nowrap font-medium ${INK[look.tone]} ${className}`}
    >
      <Icon name={look.icon} className={look.icon === "spinner" ? "spin" : ""} />
      {look.word}
    </span>
  );
}

/** The same on a soft ground, for headers and tables with little else. */
export function Badge({ look, className = "" }: { look: Look; className?: string }) {
  return <Status look={look} className={`h-5.5 rounded-md px-1.5 text-xs ${SOFT[look.tone]} ${className}`} />;
}

export function Tag({ tone = "mute", children }: { tone?: Tone; children: React.ReactNode }) {
  return (
    <span className={`inline-flex items-center rounded px-1.5 py-px text-2xs font-medium whitespace-nowrap ${SOFT[tone]}`}>
      {children}
    </span>
  );
}

/** The last runs as a strip of marks, oldest left; each mark's shape says success or not, and the label says it in words. */
export function RunStrip({ runs }: { runs: readonly { status: RunStatus }[] }) {
  const words = runs.map((run) => RUN_LOOK[run.status].word);
  const label = words.length === 0 ? "No runs yet" : `Last ${words.length} runs, newest first: ${words.join(", ")}`;
  return (
    <span role="img" aria-label={label} className="inline-flex h-4 items-end gap-0.5" title={label}>
      {[...runs].reverse().map((run, at) => {
        const { tone } = RUN_LOOK[run.status];
        // biome-ignore lint/suspicious/noArrayIndexKey: the strip is a picture of positions.
        return <span key={at} className={`w-1 rounded-sm ${FILL[tone]} ${tone === "ok" ? "h-2" : "h-4"}`} />;
      })}
    </span>
  );
}
