// Room api: everything the dashboard can change. Each hook sends one request, then makes the queries it touched fetch again.
import type {
  ConnectionInfo,
  DeliverySummary,
  EndpointInfo,
  EnvironmentKeys,
  SendSampleRequest,
  SendSampleResult,
  SessionInfo,
} from "@holdfast/protocol";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { here } from "../browser/device.ts";
import { toast } from "../parts/toast.ts";
import { ApiFailure, inEnvironment, send } from "./client.ts";

interface Act<Input, Output> {
  perform(input: Input): Promise<Output>;
  /** Said when it worked. */
  done?: (output: Output) => string;
  /** Kinds of query to fetch again. */
  stale: string[];
}

function useAction<Input, Output>(env: string, act: Act<Input, Output>) {
  const client = useQueryClient();
  return useMutation<Output, Error, Input>({
    mutationFn: act.perform,
    onSuccess(output) {
      if (act.done) toast("ok", act.done(output));
      for (const kind of act.stale) void client.invalidateQueries({ queryKey: ["env", env, kind] });
    },
    onError: (error) => toast("bad", explain(error)),
  });
}

/** The failure as one line: what happened and what to do about it. */
export function explain(error: unknown): string {
  if (error instanceof ApiFailure) return error.hint ? `${error.message} ${error.hint}` : error.message;
  return error instanceof Error ? error.message : "Something went wrong.";
}

export const useCancelRun = (env: string) =>
  useAction<string, unknown>(env, {
    perform: (id) => send("POST", inEnvironment(env, "runs", id, "cancel")),
    done: () => "Run canceled.",
    stale: ["run", "tasks", "runs", "jobs"],
  });

export const useRerun = (env: string) =>
  useAction<string, { id: string }>(env, {
    perform: (id) => send("POST", inEnvironment(env, "runs", id, "rerun")),
    done: () => "Started again as a new run.",
    stale: ["runs", "jobs"],
  });

/** Takes up a run that ended badly: finished tasks keep their outputs, the rest is tried anew. */
export const useContinueRun = (env: string) =>
  useAction<string, unknown>(env, {
    perform: (id) => send("POST", inEnvironment(env, "runs", id, "continue")),
    done: () => "The run goes on.",
    stale: ["run", "tasks", "runs", "jobs"],
  });

export const useReplayDelivery = (env: string) =>
  useAction<string, DeliverySummary>(env, {
    perform: (id) => send("POST", inEnvironment(env, "deliveries", id, "replay")),
    done: (delivery) => `Replayed: ${delivery.verdict}.`,
    stale: ["deliveries", "delivery", "runs"],
  });

export const useSendSample = (env: string, endpoint: string) =>
  useAction<SendSampleRequest, SendSampleResult>(env, {
    perform: (request) => send("POST", inEnvironment(env, "endpoints", endpoint, "send"), request),
    stale: ["deliveries", "endpoints", "runs"],
  });

export const useSetSecret = (env: string, endpoint: string) =>
  useAction<{ preset: string; secret: string | null }, EndpointInfo>(env, {
    perform: (input) => send("PUT", inEnvironment(env, "endpoints", endpoint, "secret"), input),
    done: ({ hasSecret }) => (hasSecret ? "Secret stored. New requests are verified with it." : "Secret removed."),
    stale: ["endpoints"],
  });

export const useTestJob = (env: string, job: string) =>
  useAction<unknown, { id: string }>(env, {
    perform: (payload) => send("POST", inEnvironment(env, "jobs", job, "test"), { payload }),
    done: () => "Test run started.",
    stale: ["runs", "jobs"],
  });

export const useRefreshApp = (env: string) =>
  useAction<string, unknown>(env, {
    perform: (id) => send("POST", inEnvironment(env, "apps", id, "refresh")),
    done: () => "The app was asked for its jobs again.",
    stale: ["apps", "jobs", "endpoints"],
  });

export const useRotateKeys = (env: string) =>
  useAction<void, EnvironmentKeys>(env, {
    perform: () => send("POST", inEnvironment(env, "keys", "rotate")),
    done: () => "New keys are in force. Give them to your apps.",
    stale: [],
  });

/** What is entered of an OAuth app. */
export interface OAuthAppInput {
  provider: string;
  clientId: string;
  clientSecret?: string;
  scopes: string[];
  authorizeUrl?: string;
  tokenUrl?: string;
}

export const useSaveOAuthApp = (env: string, integration: string) =>
  useAction<OAuthAppInput, unknown>(env, {
    perform: (input) => send("PUT", inEnvironment(env, "integrations", integration, "app"), input),
    done: () => "Set up. Now connect it.",
    stale: ["integrations"],
  });

/** `null`: the developer's own connection. */
const accountBody = (accountId: string | null) => (accountId === null ? {} : { accountId });

/** Makes a link that connects it and comes back here. */
export const useConnect = (env: string, integration: string) =>
  useAction<string | null, { url: string }>(env, {
    perform: (accountId) =>
      send("POST", inEnvironment(env, "integrations", integration, "links"), { ...accountBody(accountId), returnTo: here() }),
    stale: [],
  });

export const useDisconnect = (env: string, integration: string) =>
  useAction<string | null, unknown>(env, {
    perform: (accountId) => send("POST", inEnvironment(env, "integrations", integration, "disconnect"), accountBody(accountId)),
    done: () => "Disconnected.",
    stale: ["integrations"],
  });

export const useRefreshConnection = (env: string, integration: string) =>
  useAction<string | null, ConnectionInfo>(env, {
    perform: (accountId) => send("POST", inEnvironment(env, "integrations", integration, "refresh"), accountBody(accountId)),
    done: ({ error }) => error ?? "Refreshed.",
    stale: ["integrations"],
  });

export function useLogin() {
  const client = useQueryClient();
  return useMutation<SessionInfo, Error, string>({
    mutationFn: (password) => send("POST", "/api/v1/session", { password }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["session"] }),
  });
}

export function useLogout() {
  const client = useQueryClient();
  return useMutation<unknown, Error, void>({
    mutationFn: () => send("DELETE", "/api/v1/session"),
    onSuccess: () => client.resetQueries(),
    onError: (error) => toast("bad", explain(error)),
  });
}
