// Room: jobs. The credentials of a job's integrations in one execution: those the server keeps and sent along, what a resolver of the app gives for the account the
// run is for, or their own. Called by perform.ts.
import type { ConnectionAuth, TriggerIntegration } from "../io/io.ts";
import { describeError } from "../replay/errors.ts";
import type { TriggerContext } from "./context.ts";

/** Credentials for one integration and one run. */
export interface AuthResolverResult {
  type: "apiKey" | "oauth";
  token: string;
  additionalFields?: Record<string, string>;
}
/**
 * Finds the credentials an integration uses in a run, usually by `ctx.account`. Called at the start of every execution. To give nothing, or to throw, ends the
 * run as UNRESOLVED_AUTH.
 */
export type TriggerAuthResolver = (
  ctx: TriggerContext,
  integration: TriggerIntegration,
  // biome-ignore lint/suspicious/noConfusingVoidType: v2's type; programs return nothing where they have nothing
) => Promise<AuthResolverResult | void | undefined>;

/** Resolvers by the id of the integration. */
export type AuthResolvers = ReadonlyMap<string, TriggerAuthResolver>;

type Issues = Record<string, { id: string; error: string }>;
/** Credentials by integration key (undefined: the integration has its own), or what is missing. */
export type Connections = { ok: true; auth: Record<string, ConnectionAuth | undefined> } | { ok: false; issues: Issues };

/** @param sent what the server keeps, by integration key */
export async function connectionsFor(
  integrations: Record<string, TriggerIntegration>,
  sent: Record<string, ConnectionAuth>,
  context: TriggerContext,
  resolvers: AuthResolvers,
): Promise<Connections> {
  const found = await Promise.all(
    Object.entries(integrations).map(async ([key, integration]) => {
      const given = Object.hasOwn(sent, key)
        ? { auth: sent[key], error: undefined }
        : await connectionFor(integration, context, resolvers);
      return { key, id: integration.id, ...given };
    }),
  );
  const issues = found.flatMap(({ key, id, error }) => (error === undefined ? [] : [[key, { id, error }] as const]));
  if (issues.length > 0) return { ok: false, issues: Object.fromEntries(issues) };
  return { ok: true, auth: Object.fromEntries(found.map(({ key, auth }) => [key, auth])) };
}

async function connectionFor(
  integration: TriggerIntegration,
  context: TriggerContext,
  resolvers: AuthResolvers,
): Promise<{ auth?: ConnectionAuth; error?: string }> {
  const resolver = resolvers.get(integration.id);
  if (!resolver) {
    if (integration.authSource === "LOCAL") return {};
    return {
      error:
        "This integration has no credentials of its own. Give it an API key where it is created, or use client.defineAuthResolver.",
    };
  }
  try {
    const resolved = await resolver(context, integration);
    if (!resolved) return { error: `The auth resolver of "${integration.id}" gave no credentials.` };
    const { type, token, additionalFields } = resolved;
    return { auth: { type: type === "apiKey" ? "apiKey" : "oauth2", accessToken: token, additionalFields } };
  } catch (error) {
    const { name, message } = describeError(error);
    return { error: `The auth resolver of "${integration.id}" failed: ${name === undefined ? "" : `${name}: `}${message}` };
  }
}
