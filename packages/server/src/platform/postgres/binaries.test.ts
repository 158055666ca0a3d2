import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { canRun, chooseAccount } from "./account.ts";
import { findBinaries } from "./binaries.ts";

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function directory(mode: number): string {
  const made = mkdtempSync(join(tmpdir(), "hf-"));
  directories.push(made);
  const inner = join(made, "inner");
  mkdirSync(inner, { mode });
  return inner;
}

describe("findBinaries", () => {
  it("makes the missing library links in our own directory, not in the package", () => {
    const home = directory(0o755);
    const { postgres, initdb, env } = findBinaries(chooseAccount(), home);
    expect(existsSync(postgres) && existsSync(initdb)).toBe(true);
    expect(lstatSync(join(home, "lib", "libpq.so.5")).isSymbolicLink()).toBe(true);
    expect(existsSync(join(home, "lib", "libpq.so.5"))).toBe(true);
    expect(Object.keys(env).filter((name) => name.startsWith("PG"))).toEqual([]);
  });

  it.runIf(process.getuid?.() === 0)("copies the package once when the account cannot reach it, as below root's home", () => {
    const nobody = chooseAccount("nobody");
    const [home, hidden] = [directory(0o755), directory(0o700)];
    chmodSync(dirname(home), 0o755);
    const packaged = join(dirname(findBinaries(chooseAccount(), home).postgres), "..");
    cpSync(packaged, join(hidden, "native"), { recursive: true });
    writeFileSync(join(hidden, "package.json"), '{ "version": "0.0.0" }');
    const { initdb, env } = findBinaries(nobody, home, join(hidden, "native"));
    expect(initdb).toBe(join(home, "programs-0.0.0", "bin", "initdb"));
    // Outside of the hidden directory, everything the programs need is there.
    rmSync(hidden, { recursive: true });
    const { status, stdout } = spawnSync(initdb, ["--version"], { ...nobody.ids, env, encoding: "utf8", cwd: "/" });
    expect([status, stdout]).toEqual([0, expect.stringContaining("PostgreSQL")]);
  });

  it("says what to do when the programs do not run here", () => {
    const home = directory(0o755);
    const native = directory(0o755);
    mkdirSync(join(native, "bin"));
    for (const name of ["postgres", "initdb"]) writeFileSync(join(native, "bin", name), "#!/no/such/loader\n", { mode: 0o755 });
    expect(() => findBinaries(chooseAccount(), home, native)).toThrow(/does not run on this system.*musl/);
    expect(canRun(chooseAccount(), "/bin/sh", ["-c", "exit 3"])).toBe(false);
  });
});
