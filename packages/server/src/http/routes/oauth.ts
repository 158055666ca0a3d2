// Room: http. The two addresses a browser visits to connect an integration: the link that sends it to the provider, and where the provider sends it back. Open to everybody: the sealed
// link, and the state with the browser's cookie, are what lets somebody in. Promises: what goes wrong is a page, and no token or code is ever in one.
import { UserFacingError } from "@holdfast/protocol";
import { getCookie } from "hono/cookie";
import { CALLBACK_PATH } from "../../connections/authorizations.ts";
import { isHttps } from "../access.ts";
import type { Call } from "../call.ts";
import { type Route, route } from "../route.ts";

const WAY_SECONDS = 900;
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};

/** Several ways can be under way in one browser: all remember the same. Lax, because the provider's page sends it back. */
function cookieText(call: Call, value: string): string {
  const secure = isHttps(call.context) ? "; Secure" : "";
  return `holdfast-connect=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${WAY_SECONDS}${secure}`;
}

async function begin(call: Call): Promise<Response> {
  const known = getCookie(call.context, "holdfast-connect");
  const { authorizations } = call.rooms.connections;
  const { url, browser } = await authorizations.begin(call.param("integration"), call.query("link") ?? "", known);
  return redirect(url, { "set-cookie": cookieText(call, browser) });
}

async function finish(call: Call): Promise<Response> {
  const { row, returnTo } = await call.rooms.connections.finish({
    state: call.query("state") ?? "",
    code: call.query("code"),
    error: call.query("error"),
    errorDescription: call.query("error_description"),
    issuer: call.query("iss"),
    browser: getCookie(call.context, "holdfast-connect"),
  });
  if (returnTo !== null) return redirect(returnTo);
  return page(200, "Connected", [
    `${row.integrationId} is connected${row.title === null ? "" : ` as ${row.title}`}.`,
    "You can close this page.",
  ]);
}

function redirect(location: string, headers: Record<string, string> = {}): Response {
  const fixed = { location, "cache-control": "no-store", "referrer-policy": "no-referrer" };
  return new Response(null, { status: 302, headers: { ...fixed, ...headers } });
}

/** A person reads it, so an error is a page, too. */
function asPage(handle: (call: Call) => Promise<Response>): (call: Call) => Promise<Response> {
  return async (call) => {
    try {
      return await handle(call);
    } catch (error) {
      if (!(error instanceof UserFacingError)) throw error;
      return page(error.status, "Not connected", [error.message, ...(error.hint === undefined ? [] : [error.hint])]);
    }
  };
}

function page(status: number, title: string, lines: string[]): Response {
  const text = lines.map((line) => `<p>${escaped(line)}</p>`).join("\n");
  const html = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escaped(title)} · Holdfast</title>
<body style="font:16px/1.5 system-ui;max-width:36rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark">
<h1>${escaped(title)}</h1>
${text}</body></html>`;
  return new Response(html, { status, headers: HEADERS });
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}

const common = { method: "GET", access: "open" } as const;

export const oauthRoutes: Route[] = [
  route({
    ...common,
    path: "/api/v2/connections/:integration/connect",
    name: "connect",
    tag: "management",
    summary: "Go to an integration's provider to connect it",
    query: { link: "what createConnectLink made" },
    handle: asPage(begin),
  }),
  route({
    ...common,
    path: CALLBACK_PATH,
    name: "finishConnect",
    tag: "management",
    summary: "Where providers send people back",
    query: {
      state: "as it was sent",
      code: "the provider's",
      error: "why it gave none",
      error_description: "the same in words",
      iss: "who it is (RFC 9207)",
    },
    handle: asPage(finish),
  }),
];
