// Room api: follows the server's live stream and makes the queries it concerns fetch again. Called once, by the shell.
// Browsers allow six HTTP/1.1 connections a server, so of all tabs on an environment one holds the stream and shares it.
import type { LiveMessage, RunStatus, RunSummary } from "@holdfast/protocol";
import { type InfiniteData, type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { after, every } from "../browser/clock.ts";
import { inEnvironment } from "./client.ts";

export type LiveState = "connecting" | "live" | "polling";
type Shared = { message: LiveMessage } | { state: LiveState } | { ask: true };
interface Listener {
  state(state: LiveState): void;
  message(message: LiveMessage): void;
}

const FLUSH_MS = 250;
const POLL_MS = 5_000;
/** Beyond this many loaded pages a list is patched in place, and fetched again when the person asks. */
const REFETCH_PAGES = 2;

/** How current the page is; keeps the queries of `env` fresh while mounted. */
export function useLive(env: string): LiveState {
  const client = useQueryClient();
  const [state, setState] = useState<LiveState>("connecting");
  useEffect(() => {
    const refresh = refresher(client, env);
    const leave = follow(env, { state: setState, message: refresh.note });
    return () => {
      leave();
      refresh.stop();
    };
  }, [client, env]);
  const wasPolling = useRef(false);
  useEffect(() => {
    // What happened between the last look and the stream's return was told to nobody.
    if (state === "live" && wasPolling.current) void client.invalidateQueries({ queryKey: ["env", env] });
    wasPolling.current = state === "polling";
    if (state === "live") return;
    return every(POLL_MS, () => void client.invalidateQueries({ queryKey: ["env", env] }));
  }, [client, env, state]);
  return state;
}

/** Opens the stream in this tab, or listens to the tab that has it. */
function follow(env: string, listener: Listener): () => void {
  if (!("locks" in navigator) || typeof BroadcastChannel === "undefined") return openStream(env, listener);
  const channel = new BroadcastChannel(`holdfast-live-${env}`);
  const left = new AbortController();
  const hear = (event: MessageEvent<Shared>) => {
    if ("message" in event.data) listener.message(event.data.message);
    if ("state" in event.data) listener.state(event.data.state);
  };
  channel.addEventListener("message", hear);
  channel.postMessage({ ask: true } satisfies Shared);
  const lead = () =>
    leadTabs(env, channel, { ...listener, left: left.signal, deaf: () => channel.removeEventListener("message", hear) });
  navigator.locks.request(`holdfast-live-${env}`, { signal: left.signal }, lead).catch(() => undefined);
  return () => {
    left.abort();
    channel.close();
  };
}

/** Holds the stream until this tab leaves, and tells the other tabs what it hears. */
function leadTabs(env: string, channel: BroadcastChannel, tab: Listener & { left: AbortSignal; deaf(): void }): Promise<void> {
  if (tab.left.aborted) return Promise.resolve();
  let state: LiveState = "connecting";
  tab.deaf();
  channel.addEventListener("message", (event: MessageEvent<Shared>) => {
    if ("ask" in event.data) channel.postMessage({ state } satisfies Shared);
  });
  const close = openStream(env, {
    message(message) {
      tab.message(message);
      channel.postMessage({ message } satisfies Shared);
    },
    state(next) {
      state = next;
      tab.state(next);
      channel.postMessage({ state } satisfies Shared);
    },
  });
  return new Promise((done) => {
    tab.left.addEventListener("abort", () => {
      close();
      done();
    });
  });
}

/** EventSource reconnects by itself after a dropped connection; after a refusal it does not, so we open another. */
function openStream(env: string, listener: Listener): () => void {
  const source = new EventSource(inEnvironment(env, "live"));
  let cancelReopen: (() => void) | undefined;
  source.onopen = () => listener.state("live");
  source.onmessage = (event: MessageEvent<string>) => listener.message(JSON.parse(event.data) as LiveMessage);
  source.onerror = () => {
    listener.state("polling");
    if (source.readyState !== EventSource.CLOSED) return;
    let close = () => {};
    const cancel = after(POLL_MS, () => {
      close = openStream(env, listener);
    });
    cancelReopen = () => {
      cancel();
      close();
    };
  };
  return () => {
    source.close();
    cancelReopen?.();
  };
}

/** Collects messages and refetches what they touch, at most four times a second. */
function refresher(client: QueryClient, env: string) {
  let keys = new Map<string, readonly string[]>();
  let cancel: (() => void) | undefined;
  const flush = () => {
    const due = keys;
    keys = new Map();
    cancel = undefined;
    for (const key of due.values())
      void client.invalidateQueries({ queryKey: ["env", env, ...key], predicate: (query) => !isDeep(query.state.data) });
  };
  return {
    note(message: LiveMessage): void {
      if (message.type === "run") patchRuns(client, env, message);
      for (const key of touched(message)) keys.set(key.join(), key);
      cancel ??= after(FLUSH_MS, flush);
    },
    stop: () => cancel?.(),
  };
}

/** The query keys, below ["env", slug], a message makes stale. */
export function touched(message: LiveMessage): readonly (readonly string[])[] {
  switch (message.type) {
    case "run":
      return [["runs"], ["run", message.id], ["tasks", message.id], ["jobs"], ["overview"], ["deliveries"], ["delivery"]];
    case "tasks":
      return [
        ["run", message.runId],
        ["tasks", message.runId],
      ];
    case "delivery":
      return [["deliveries"], ["delivery", message.id], ["endpoints"], ["overview"]];
    case "apps":
      return [["apps"], ["jobs"], ["endpoints"], ["overview"]];
  }
}

const isPages = (data: unknown): data is InfiniteData<{ items: unknown[] }> =>
  typeof data === "object" && data !== null && "pages" in data && Array.isArray(data.pages);

const isDeep = (data: unknown): boolean => isPages(data) && data.pages.length > REFETCH_PAGES;

function patchRuns(client: QueryClient, env: string, change: { id: string; status: RunStatus }): void {
  client.setQueriesData<InfiniteData<{ items: RunSummary[] }>>({ queryKey: ["env", env, "runs"] }, (data) => {
    if (!data || !isDeep(data)) return data;
    const patch = (run: RunSummary) => (run.id === change.id ? { ...run, status: change.status } : run);
    return { ...data, pages: data.pages.map((page) => ({ ...page, items: page.items.map(patch) })) };
  });
}
