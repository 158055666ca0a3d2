// Room: http. Logging in and out, and what a visitor needs to know before.
import { type SessionInfo, UserFacingError } from "@holdfast/protocol";
import { getCookie } from "hono/cookie";
import { z } from "zod";
import { addressOf, cookieName, type Gate, isHttps } from "../access.ts";
import type { Call } from "../call.ts";
import { type Route, route } from "../route.ts";
import type { Sessions } from "../sessions.ts";
import { environmentInfo } from "./environments.ts";

const LIFETIME_SECONDS = 14 * 24 * 3600;

/** Whether whoever asks could use the management API as a person. */
async function isPerson(gate: Gate, call: Call): Promise<boolean> {
  try {
    await gate.person(call.context);
    return true;
  } catch (error) {
    if (error instanceof UserFacingError) return false;
    throw error;
  }
}

function infoFor(call: Call, authenticated: boolean): SessionInfo {
  const { mode, version, registry } = call.rooms;
  return { mode, authenticated, version, environments: authenticated ? registry.environments().map(environmentInfo) : [] };
}

function cookieText(call: Call, value: string, seconds: number): string {
  const secure = isHttps(call.context) ? "; Secure" : "";
  return `${cookieName(call.context)}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${seconds}${secure}`;
}

/** A page of another site may not log a visitor in either. */
function requireIntent(call: Call): void {
  if (call.header("x-holdfast") !== "1")
    throw new UserFacingError("FORBIDDEN", "Logging in and out needs the header `x-holdfast: 1`.");
}

export function sessionRoutes({ sessions, gate }: { sessions: Sessions; gate: Gate }): Route[] {
  const common = { path: "/api/v1/session", tag: "management", access: "open" } as const;
  return [
    route({
      ...common,
      method: "GET",
      name: "getSession",
      summary: "Whether a login is due, and which environments there are",
      handle: async (call) => call.json(infoFor(call, await isPerson(gate, call))),
    }),
    route({
      ...common,
      method: "POST",
      name: "login",
      summary: "Log in with the admin password; sets a cookie",
      body: z.object({ password: z.string().max(1024) }),
      handle: async (call, { password }) => {
        requireIntent(call);
        const value = await sessions.login(password, addressOf(call.context) ?? "unknown");
        return call.json(infoFor(call, true), { "set-cookie": cookieText(call, value, LIFETIME_SECONDS) });
      },
    }),
    route({
      ...common,
      method: "DELETE",
      name: "logout",
      summary: "Log out: the session ends on every server",
      handle: async (call) => {
        requireIntent(call);
        await sessions.logout(getCookie(call.context, cookieName(call.context)));
        return call.json(infoFor(call, false), { "set-cookie": cookieText(call, "", 0) });
      },
    }),
  ];
}
