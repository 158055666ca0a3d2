// Room: platform/postgres. Which account PostgreSQL's programs run under: they refuse root, and need an account that has a name.
// Called by startEmbeddedPostgres. Promises: an ordinary user runs them as itself; root (or a nameless uid) runs them in a user namespace, where
// the files stay its own; root without user namespaces runs them as `nobody`, who then owns the database files.
import { spawnSync } from "node:child_process";
import { chownSync, existsSync, lchownSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { UserFacingError } from "@holdfast/protocol";

export type AccountKind = "self" | "userNamespace" | "nobody";

export interface Account {
  readonly kind: AccountKind;
  /** Owner the database files must have. Undefined where there are no uids. */
  readonly owner: { uid: number; gid: number } | undefined;
  /** The command line that runs a program under this account. */
  wrap(file: string, args: readonly string[]): { file: string; args: string[] };
  /** Options for spawn. */
  readonly ids: { uid?: number; gid?: number };
}

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
}

function passwdEntries(): PasswdEntry[] {
  if (!existsSync("/etc/passwd")) return [];
  const lines = readFileSync("/etc/passwd", "utf8").split("\n");
  const entries = lines.map((line) => line.split(":")).filter((fields) => fields.length >= 4);
  return entries
    .map(([name = "", , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter((entry) => entry.uid > 0);
}

function hasName(): boolean {
  try {
    return userInfo().username !== "";
  } catch {
    return false;
  }
}

function self(): Account {
  const uid = process.getuid?.();
  const owner = uid === undefined ? undefined : { uid, gid: process.getgid?.() ?? uid };
  return { kind: "self", owner, ids: {}, wrap: (file, args) => ({ file, args: [...args] }) };
}

function inUserNamespace(entry: PasswdEntry): Account {
  const map = ["--user", `--map-user=${entry.uid}`, `--map-group=${entry.gid}`];
  return { ...self(), kind: "userNamespace", wrap: (file, args) => ({ file: "unshare", args: [...map, file, ...args] }) };
}

function asNobody(entry: PasswdEntry): Account {
  const owner = { uid: entry.uid, gid: entry.gid };
  return { kind: "nobody", owner, ids: owner, wrap: (file, args) => ({ file, args: [...args] }) };
}

/** True when the program starts and exits with 0 under the account. */
export function canRun(account: Account, file: string, args: readonly string[]): boolean {
  const command = account.wrap(file, args);
  return spawnSync(command.file, command.args, { ...account.ids, stdio: "ignore", cwd: "/" }).status === 0;
}

/**
 * Picks the account.
 *
 * @param only insist on this kind (tests)
 * @throws UserFacingError BAD_CONFIGURATION when no account will do
 */
export function chooseAccount(only?: AccountKind): Account {
  const isRoot = process.getuid?.() === 0;
  const entries = passwdEntries();
  if (only === "self" || (!only && (process.platform === "win32" || (!isRoot && hasName())))) return self();
  // An account of a person is preferred over a system one only because 65534 also stands for "unknown" inside a namespace.
  const mapped = entries.find((entry) => entry.uid === 1000) ?? entries[0];
  if (only !== "nobody" && mapped) {
    const account = inUserNamespace(mapped);
    if (canRun(account, "/bin/sh", ["-c", ":"])) return account;
  }
  const nobody = entries.find((entry) => entry.name === "nobody") ?? entries[0];
  if (only !== "userNamespace" && isRoot && nobody) return asNobody(nobody);
  throw new UserFacingError(
    "BAD_CONFIGURATION",
    isRoot
      ? "PostgreSQL refuses to run as root, and this system offers neither user namespaces nor another account."
      : `PostgreSQL needs an account with a name, and uid ${process.getuid?.()} has none in /etc/passwd.`,
    "Run as an ordinary user, or set DATABASE_URL to a PostgreSQL server of yours.",
  );
}

/** Gives a tree to the account, when it is not its own already. */
export function giveTo(account: Account, path: string): void {
  const { owner } = account;
  if (!owner || process.getuid?.() !== 0 || lstatSync(path).uid === owner.uid) return;
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    lchownSync(join(entry.parentPath, entry.name), owner.uid, owner.gid);
  }
  // The top goes last: it tells the next start that everything below is done.
  chownSync(path, owner.uid, owner.gid);
}
