// Stands in for the two services the welcome job calls, so that the example runs before anyone has a key:
// Clerk's `GET /v1/users/:id`, and a mail service that takes `POST /welcome` and drops a repeated idempotency key.
// With a log file it remembers what it took over a restart, as a real service would.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** One welcome message as it was taken. */
export interface Welcome {
  id: string;
  key: string;
  to: string;
  text: string;
  /** How often it was asked for; more than once means a repeat was dropped. */
  requests: number;
}

export interface ClerkStandIn {
  /** Base URL, for CLERK_API_URL. */
  url: string;
  /** For WELCOME_URL. */
  welcomeUrl: string;
  /** Every message taken, oldest first; also answered to `GET /welcome`. */
  welcomes(): Welcome[];
  stop(): Promise<void>;
}

/**
 * Starts the stand-in on a free loopback port.
 *
 * @example const standIn = await startClerkStandIn({ logFile: "welcomes.jsonl" })
 */
export async function startClerkStandIn(options: { port?: number; logFile?: string } = {}): Promise<ClerkStandIn> {
  const taken = readLog(options.logFile);
  const server = createServer((request, response) => {
    answer(request, taken, options.logFile)
      .catch((error: unknown): Answer => ({ status: 500, body: { errors: [{ code: "internal", message: String(error) }] } }))
      .then((reply) => send(response, reply));
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(options.port ?? 0, "127.0.0.1", resolve));
  server.unref();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    welcomeUrl: `${url}/welcome`,
    welcomes: () => [...taken.values()],
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Answer {
  status: number;
  body: unknown;
}

async function answer(request: IncomingMessage, taken: Map<string, Welcome>, logFile?: string): Promise<Answer> {
  const path = new URL(request.url ?? "/", "http://stand-in").pathname;
  const user = /^\/v1\/users\/([^/]+)$/.exec(path)?.[1];
  if (request.method === "GET" && user) return getUser(decodeURIComponent(user), request.headers.authorization);
  if (request.method === "GET" && path === "/welcome") return { status: 200, body: [...taken.values()] };
  if (request.method === "POST" && path === "/welcome") {
    const key = String(request.headers["idempotency-key"] ?? "");
    return take(taken, { key, message: JSON.parse(await text(request)), ...(logFile ? { logFile } : {}) });
  }
  return clerkError(404, "resource_not_found", "not found");
}

function getUser(id: string, authorization: string | undefined): Answer {
  if (!authorization?.startsWith("Bearer sk_"))
    return clerkError(401, "authentication_invalid", "Unable to authenticate the request");
  if (!id.startsWith("user_")) return clerkError(404, "resource_not_found", `No user was found with id ${id}`);
  return { status: 200, body: userJson(id) };
}

function clerkError(status: number, code: string, message: string): Answer {
  return { status, body: { errors: [{ code, message, long_message: message, meta: {} }], clerk_trace_id: "stand-in" } };
}

function take(
  taken: Map<string, Welcome>,
  post: { key: string; message: { to: string; text: string }; logFile?: string },
): Answer {
  if (!post.key) return { status: 400, body: { message: "Send an idempotency-key header." } };
  const known = taken.get(post.key);
  const welcome: Welcome = known
    ? { ...known, requests: known.requests + 1 }
    : { id: `msg_${taken.size + 1}`, key: post.key, to: post.message.to, text: post.message.text, requests: 1 };
  taken.set(post.key, welcome);
  if (post.logFile) appendFileSync(post.logFile, `${JSON.stringify(welcome)}\n`);
  return { status: known ? 200 : 201, body: welcome };
}

/** The last line of a key counts; a line cut short by a crash is the last of the file and was never answered. */
function readLog(logFile: string | undefined): Map<string, Welcome> {
  const taken = new Map<string, Welcome>();
  if (!logFile || !existsSync(logFile)) return taken;
  const complete = readFileSync(logFile, "utf8").split("\n").slice(0, -1);
  for (const line of complete.filter((each) => each.endsWith("}"))) {
    const welcome: Welcome = JSON.parse(line);
    taken.set(welcome.key, welcome);
  }
  return taken;
}

function send(response: ServerResponse, reply: Answer): void {
  const body = JSON.stringify(reply.body);
  response.writeHead(reply.status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
}

const CREATED = Date.UTC(2026, 0, 1, 10);
const VERIFICATION = { id: "", object: "verification", status: "verified", strategy: "email_code", attempts: 1, expire_at: null };

/** A user in the JSON shape `@clerk/backend` reads. */
function userJson(id: string) {
  const address = {
    id: `idn_${id}`,
    object: "email_address",
    email_address: "ada@example.com",
    verification: VERIFICATION,
    linked_to: [],
  };
  return { id, object: "user", ...PROFILE, primary_email_address_id: address.id, email_addresses: [address] };
}

const PROFILE = {
  username: null,
  first_name: "Ada",
  last_name: "Lovelace",
  locale: "en-GB",
  timezone: null,
  external_id: null,
  image_url: "https://img.clerk.com/example-ada.png",
  has_image: false,
  primary_phone_number_id: null,
  primary_web3_wallet_id: null,
  phone_numbers: [],
  web3_wallets: [],
  external_accounts: [],
  enterprise_accounts: [],
  organization_memberships: null,
  public_metadata: {},
  private_metadata: {},
  unsafe_metadata: {},
  password_enabled: true,
  password_last_updated_at: CREATED,
  two_factor_enabled: false,
  totp_enabled: false,
  backup_code_enabled: false,
  banned: false,
  locked: false,
  deprovisioned: false,
  lockout_expires_in_seconds: null,
  verification_attempts_remaining: 100,
  create_organization_enabled: true,
  create_organizations_limit: null,
  delete_self_enabled: true,
  legal_accepted_at: null,
  created_at: CREATED,
  updated_at: CREATED,
  last_sign_in_at: null,
  last_active_at: CREATED,
};
