// Room: http. Who may call a route, and as what. Called by app.ts before every handler; handlers never look at credentials.
// Promises: an id of another environment is answered as if it did not exist; a page of another origin can do nothing with a visitor's login, nor in
// dev with being on this machine (DNS rebinding, cross-site requests).
import type { IncomingMessage } from "node:http";
import { UserFacingError } from "@holdfast/protocol";
import type { Context } from "hono";
import { getCookie } from "hono/cookie";
import { hashKey } from "../platform/secrets.ts";
import type { EnvironmentRow } from "../store/store.ts";
import type { Caller } from "./call.ts";
import type { Rooms } from "./rooms.ts";
import type { Route } from "./route.ts";
import type { Sessions } from "./sessions.ts";
import { type Streamed, streamedIn } from "./streamed-call.ts";

const SAFE = new Set(["GET", "HEAD", "OPTIONS"]);
const INVALID_KEY = "Invalid or Missing API key";
const NOBODY: Caller = { environment: null, by: "nobody" };

/** The cookie's name: over https browsers hold `__Host-` cookies to this very origin. */
export function cookieName(context: Context): string {
  return isHttps(context) ? "__Host-holdfast" : "holdfast";
}

export function isHttps(context: Context): boolean {
  return new URL(originOf(context)).protocol === "https:";
}

/** Where the caller reaches this server: "https://jobs.example.com". Only ever shown to them. */
export function originOf(context: Context): string {
  return originFrom(context.req.url, (name) => context.req.header(name));
}

/** As `originOf`, of a request that asks for an upgrade. */
export function originOfUpgrade({ headers }: IncomingMessage): string {
  const url = `http://${headers.host ?? "localhost"}`;
  return originFrom(URL.canParse(url) ? url : "http://localhost", (name) => [headers[name]].flat()[0]);
}

/** What proxies say of the first of them counts; what they do not say is as it is here. */
function originFrom(url: string, header: (name: string) => string | undefined): string {
  const { protocol, host, origin } = new URL(url);
  const first = (name: string) => header(name)?.split(",")[0]?.trim();
  const scheme = first("x-forwarded-proto") ?? protocol.replace(":", "");
  const told = `${scheme === "https" ? "https" : "http"}://${first("x-forwarded-host") ?? host}`;
  return URL.canParse(told) ? new URL(told).origin : origin;
}

export class Gate {
  constructor(
    private readonly rooms: Rooms,
    private readonly sessions: Sessions,
  ) {}

  /**
   * Lets a caller in, or says why not.
   *
   * @throws UserFacingError UNAUTHORIZED, FORBIDDEN, NOT_FOUND
   */
  async admit(route: Route, context: Context): Promise<Caller> {
    const streamed = streamedIn(context);
    if (streamed) return callerOverStream(route, streamed);
    switch (route.access) {
      case "open":
        return NOBODY;
      case "secretKey":
        return { environment: this.#bySecret(bearerOf(context)), by: "secretKey" };
      case "anyKey":
        return this.#byAnyKey(bearerOf(context));
      case "machine":
        return comesFromThisMachine(context) ? NOBODY : this.#manager(route, context);
      case "server":
      case "environment":
      case "person":
        return this.#manager(route, context);
    }
  }

  /** The caller of the management API: a person, or the key of the environment in question. */
  async #manager(route: Route, context: Context): Promise<Caller> {
    const key = bearerOf(context);
    const byKey = key === null ? null : this.#bySecret(key);
    if (byKey && route.access === "person")
      throw new UserFacingError("FORBIDDEN", "This takes a person who is logged in, not an API key.");
    if (!byKey) await this.person(context);
    const by = byKey ? "secretKey" : "session";
    const named = context.req.param("environment");
    if (named === undefined) return { environment: byKey, by };
    const environment = this.rooms.registry.requireEnvironment(named);
    if (byKey && byKey.id !== environment.id) throw notThere(named);
    return { environment, by };
  }

  /** Someone who is logged in, or on this machine in dev; and who means it. */
  async person(context: Context): Promise<void> {
    if (this.rooms.mode === "dev") requireLoopbackName(context);
    else if (!(await this.sessions.holds(getCookie(context, cookieName(context))))) {
      throw new UserFacingError(
        "UNAUTHORIZED",
        "Log in first.",
        "POST /api/v1/session with the password, or send an API key as a Bearer token.",
      );
    }
    if (SAFE.has(context.req.method)) return;
    requireOwnOrigin(context);
    if (this.rooms.mode === "start" && context.req.header("x-holdfast") !== "1") {
      throw new UserFacingError("FORBIDDEN", "Changes made with a login need the header `x-holdfast: 1`.");
    }
  }

  #bySecret(key: string | null): EnvironmentRow {
    const environment = key === null ? null : this.rooms.registry.environmentOfKey({ secretHash: hashKey(key) });
    if (environment) return environment;
    throw new UserFacingError("UNAUTHORIZED", INVALID_KEY);
  }

  #byAnyKey(key: string | null): Caller {
    const open = key === null ? null : this.rooms.registry.environmentOfKey({ publicKey: key });
    return open ? { environment: open, by: "publicKey" } : { environment: this.#bySecret(key), by: "secretKey" };
  }
}

/** Whoever opened the stream showed a secret key. */
function callerOverStream({ access }: Route, { environment }: Streamed): Caller {
  if (access === "secretKey" || access === "anyKey") return { environment, by: "secretKey" };
  throw new UserFacingError("FORBIDDEN", "This route is not called over a stream.", "Send a request.");
}

function bearerOf(context: Context): string | null {
  const [scheme, key] = (context.req.header("authorization") ?? "").split(/\s+/);
  return scheme?.toLowerCase() === "bearer" && key ? key : null;
}

function notThere(environment: string): UserFacingError {
  return new UserFacingError("NOT_FOUND", `There is no environment "${environment}".`);
}

/** True for a program on this machine that calls us directly: what a proxy passes on comes from anywhere. */
function comesFromThisMachine(context: Context): boolean {
  const address = addressOf(context) ?? "";
  const passedOn = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"].some((name) =>
    context.req.header(name),
  );
  return (address === "::1" || /^(?:::ffff:)?127\./.test(address)) && isLoopbackName(hostOf(context)) && !passedOn;
}

/** The address at the other end of the connection. */
export function addressOf(context: Context): string | undefined {
  return (context.env as { incoming?: IncomingMessage } | undefined)?.incoming?.socket.remoteAddress;
}

/** The name a caller knows us by. */
function hostOf(context: Context): string {
  const host = context.req.header("host") ?? new URL(context.req.url).host;
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : "";
}

function isLoopbackName(name: string): boolean {
  return name === "localhost" || name.endsWith(".localhost") || name === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(name);
}

/** A page on a foreign name that resolves to this machine must not reach us through the visitor's browser. */
function requireLoopbackName(context: Context): void {
  const name = hostOf(context);
  if (isLoopbackName(name)) return;
  throw new UserFacingError(
    "FORBIDDEN",
    `In dev the dashboard and its API answer only on this machine's own name, not on "${name}".`,
    "Open http://localhost instead.",
  );
}

function requireOwnOrigin(context: Context): void {
  const origin = context.req.header("origin");
  const host = context.req.header("x-forwarded-host") ?? context.req.header("host") ?? new URL(context.req.url).host;
  const foreign = origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host);
  if (!foreign && context.req.header("sec-fetch-site") !== "cross-site") return;
  throw new UserFacingError("FORBIDDEN", "This request comes from a page of another site.");
}
