// Room: react. The hooks of v2 for pages that watch events and runs: `@holdfast/sdk/react`. Names and options are `@trigger.dev/react`'s; runs arrive live, and nothing is asked for once it is over.
"use client";

import { isFinalRunStatus, RUN_STATUSES, type RunStatus, type StatusRecord } from "@holdfast/protocol";
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useMemo,
  useSyncExternalStore,
} from "react";
import type { Anything } from "../anything.ts";
import { Watch, type Watched } from "./watch.ts";

export type { Watched } from "./watch.ts";

/** Statuses of runs that are over. v2 left out two, and asked for ever. */
export const runResolvedStatuses: RunStatus[] = RUN_STATUSES.filter(isFinalRunStatus);

export interface TriggerProviderProps {
  /** The environment's public key, `pk_…`. Never the secret one. */
  publicApiKey: string;
  /** Where the server is. Default: where the page came from. */
  apiUrl?: string | undefined;
  children?: ReactNode;
}
interface Provided {
  publicApiKey: string;
  apiUrl: string;
  /** What is watched, by its address: hooks of one address share it. */
  watches: Map<string, Watch<unknown>>;
}

const Context = createContext<Provided | null>(null);

/**
 * Gives the hooks below it the key and the server.
 *
 * @throws Error for no key, or a secret one
 * @example <TriggerProvider publicApiKey={process.env.NEXT_PUBLIC_TRIGGER_PUBLIC_API_KEY} apiUrl="https://jobs.example.com">…</TriggerProvider>
 */
export function TriggerProvider({ publicApiKey, apiUrl = "", children }: TriggerProviderProps): ReactElement {
  if (!publicApiKey) throw new Error("TriggerProvider needs a publicApiKey: the environment's key that starts with pk_.");
  if (publicApiKey.startsWith("tr_")) {
    throw new Error("TriggerProvider was given a secret key (tr_…). Everybody would see it: use the public one (pk_…).");
  }
  const value = useMemo(
    () => ({ publicApiKey, apiUrl: apiUrl.replace(/\/+$/, ""), watches: new Map<string, Watch<unknown>>() }),
    [publicApiKey, apiUrl],
  );
  return createElement(Context.Provider, { value }, children);
}

/** The key and the server the hooks use. */
export function useTriggerProvider(): Pick<Provided, "publicApiKey" | "apiUrl"> {
  const provided = useContext(Context);
  if (!provided) throw new Error("Hooks of @holdfast/sdk/react need a TriggerProvider above them.");
  return provided;
}

export interface EventDetails {
  id: string;
  name: string;
  createdAt: string;
  updatedAt: string;
  runs: { id: string; status: RunStatus; startedAt?: string | null; completedAt?: string | null }[];
}
export interface RunTask {
  id: string;
  displayKey: string | null;
  status: string;
  name: string;
  icon: string | null;
  startedAt: string | null;
  completedAt: string | null;
  subtasks?: RunTask[];
}
export interface RunDetails {
  id: string;
  status: RunStatus;
  startedAt: string | null;
  updatedAt: string | null;
  completedAt: string | null;
  output?: Anything;
  tasks: RunTask[];
  statuses: StatusRecord[];
  nextCursor?: string;
}
export interface RunStatuses {
  run: { id: string; status: RunStatus; output?: Anything };
  statuses: StatusRecord[];
}
export interface UseRunDetailsOptions {
  cursor?: string | undefined;
  /** Tasks, at most 50. Default 20. */
  take?: number | undefined;
  subtasks?: boolean | undefined;
  /** Ignored: pages see no inputs and outputs of tasks. */
  taskdetails?: boolean | undefined;
  /** Ignored: changes arrive by themselves. */
  refreshIntervalMs?: number | undefined;
}

/** Between two looks at an event that has started nothing yet. */
const EVENT_MS = 500;
const NOTHING: Watched<never> = {
  data: undefined,
  error: null,
  status: "pending",
  fetchStatus: "idle",
  isPending: true,
  isLoading: false,
  isFetching: false,
  isSuccess: false,
  isError: false,
};
const never = (): (() => void) => () => {};

/** Watches an address below the server; nothing for null. */
function useWatch<T>(path: string | null, everyMs: number | null, isOver: (value: T) => boolean): Watched<T> {
  const { publicApiKey, apiUrl, watches } = useTriggerProvider() as Provided;
  const watch = useMemo(() => {
    if (path === null) return null;
    const known = watches.get(path) ?? (new Watch<T>({ url: apiUrl + path, publicApiKey, everyMs, isOver }) as Watch<unknown>);
    watches.set(path, known);
    return known as Watch<T>;
  }, [path, publicApiKey, apiUrl, watches, everyMs, isOver]);
  const current = watch ? watch.current : () => NOTHING as Watched<T>;
  return useSyncExternalStore(watch?.subscribe ?? never, current, current);
}

const hasRuns = (event: EventDetails): boolean => event.runs.length > 0;
const isOver = (run: RunDetails): boolean => isFinalRunStatus(run.status);

/** An event and its runs, until it has one. @param eventId undefined or empty: not yet */
export function useEventDetails(eventId: string | undefined): Watched<EventDetails> {
  return useWatch(eventId ? `/api/v2/events/${encodeURIComponent(eventId)}` : null, EVENT_MS, hasRuns);
}

/** A run, live, until it has ended. @example const { data, isLoading } = useRunDetails(runId); data?.status */
export function useRunDetails(runId: string | undefined, options: UseRunDetailsOptions = {}): Watched<RunDetails> {
  const { cursor, take, subtasks } = options;
  const given = Object.entries({ cursor, take, subtasks }).filter(([, value]) => value !== undefined);
  const query = given.length === 0 ? "" : `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
  return useWatch(runId ? `/api/v2/runs/${encodeURIComponent(runId)}/stream${query}` : null, null, isOver);
}

/** The first run of an event, live, until it has ended. */
export function useEventRunDetails(eventId: string | undefined, options: UseRunDetailsOptions = {}): Watched<RunDetails> {
  const event = useEventDetails(eventId);
  return useRunDetails(event.data?.runs[0]?.id, options);
}

/** The statuses a run has set, live, until it has ended. */
export function useRunStatuses(
  runId: string | undefined,
  _options: Pick<UseRunDetailsOptions, "refreshIntervalMs"> = {},
): Watched<RunStatuses> {
  const details = useRunDetails(runId);
  return useMemo(() => ({ ...details, data: details.data && statusesOf(details.data) }), [details]);
}

/** The statuses of an event's first run. */
export function useEventRunStatuses(
  eventId: string | undefined,
  options: Pick<UseRunDetailsOptions, "refreshIntervalMs"> = {},
): Watched<RunStatuses> {
  const event = useEventDetails(eventId);
  return useRunStatuses(event.data?.runs[0]?.id, options);
}

function statusesOf({ id, status, output, statuses }: RunDetails): RunStatuses {
  return { run: { id, status, ...(output === undefined ? {} : { output }) }, statuses };
}
