// Room: platform/postgres. Where the embedded server listens: a unix socket in a private directory, or loopback TCP where there are none.
// Called by startEmbeddedPostgres. Promises: the socket's path fits the 104 bytes the systems allow, its directory is ours alone, and the same data
// directory gets the same place again, so that a left-over server is found.
import { createHash } from "node:crypto";
import { chownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Account } from "./account.ts";
import { isPrivateTo } from "./cluster.ts";

/** `directory` is undefined for TCP. */
export interface Address {
  directory: string | undefined;
  host: string;
  port: number;
}

const SOCKET_PORT = 5432;
const LONGEST_SOCKET_PATH = 100;

/** Path of the socket file, as PostgreSQL and its clients build it. */
export function socketPath(directory: string, port: number): string {
  return join(directory, `.s.PGSQL.${port}`);
}

function makePrivate(path: string, account: Account): string | undefined {
  try {
    mkdirSync(path, { mode: 0o700 });
    if (account.kind === "nobody" && account.owner) chownSync(path, account.owner.uid, account.owner.gid);
  } catch {
    // There already: fine when it is ours.
  }
  try {
    return isPrivateTo(account, path) ? path : undefined;
  } catch {
    return undefined;
  }
}

function listens(target: { path: string } | { host: string; port: number }): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(undefined));
    server.listen(target, () => {
      const address = server.address();
      server.close(() => resolve(address && typeof address === "object" ? address.port : 0));
    });
  });
}

// Some mounted file systems hold files but no sockets.
async function holdsSockets(directory: string): Promise<boolean> {
  if (Buffer.byteLength(socketPath(directory, SOCKET_PORT)) > LONGEST_SOCKET_PATH) return false;
  return (await listens({ path: join(directory, "probe") })) !== undefined;
}

async function socketDirectory(home: string, account: Account): Promise<string> {
  rmSync(join(home, "run"), { recursive: true, force: true });
  const beside = makePrivate(join(home, "run"), account);
  if (beside && (await holdsSockets(beside))) return beside;
  const name = createHash("sha256").update(home).digest("hex").slice(0, 12);
  const known = makePrivate(join(tmpdir(), `holdfast-${process.getuid?.() ?? 0}-${name}`), account);
  if (known) return known;
  const fresh = mkdtempSync(join(tmpdir(), "holdfast-"));
  if (account.kind === "nobody" && account.owner) chownSync(fresh, account.owner.uid, account.owner.gid);
  return fresh;
}

/** Picks the address of a server to be started; no server is running on these data. */
export async function chooseAddress(home: string, account: Account, tcp: boolean): Promise<Address> {
  if (tcp) {
    const port = (await listens({ host: "127.0.0.1", port: 0 })) ?? SOCKET_PORT;
    return { directory: undefined, host: "127.0.0.1", port };
  }
  const directory = await socketDirectory(home, account);
  return { directory, host: directory, port: SOCKET_PORT };
}

/** Removes what a dead server left at its address; a stale socket lock would keep the next one from starting. */
export function clearSocket({ directory, port }: Address): void {
  if (directory === undefined) return;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const path of [socketPath(directory, port), `${socketPath(directory, port)}.lock`]) rmSync(path, { force: true });
}

/** Removes the socket directory of a server that was stopped for good, if we made it (an adopted server may have used a shared one). */
export function removeAddress(home: string, { directory }: Address): void {
  if (directory === undefined || (directory !== join(home, "run") && !basename(directory).startsWith("holdfast-"))) return;
  rmSync(directory, { recursive: true, force: true });
}
