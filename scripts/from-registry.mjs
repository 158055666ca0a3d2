// Packages fetched from the registry for one check and thrown away after it. Called by node-lines.mjs and database-lines.mjs, which try us on versions that
// are not installed. Promises: nothing is left behind.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./install.mjs";

/** Runs a program from the root; whether it succeeded, and all it said. */
export function ran(command, args, options = {}) {
  const shell = process.platform === "win32" && command === "npm";
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8", shell, ...options });
  return { ok: status === 0, said: `${stdout ?? ""}${stderr ?? ""}`.trim() };
}

/** Unpacks `name@version` and hands its directory to `use`, which answers what failed, as texts; so does this, when it cannot be fetched. */
export function withPackage(spec, use) {
  const into = mkdtempSync(join(tmpdir(), "holdfast-fetched-"));
  try {
    const pack = ran("npm", ["pack", spec, "--silent", "--pack-destination", into]);
    const tarball = readdirSync(into).find((file) => file.endsWith(".tgz"));
    if (!pack.ok || !tarball) return [`${spec} could not be fetched from the registry:\n${pack.said}`];
    const unpacked = ran("tar", ["-xzf", join(into, tarball), "-C", into]);
    return unpacked.ok ? use(join(into, "package")) : [unpacked.said];
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

/** Runs test files; what they said, if any failed. */
export function failuresOf(where, node, files, env) {
  const { ok, said } = ran(node, ["node_modules/vitest/vitest.mjs", "run", ...files], { env: { ...process.env, ...env } });
  return ok ? [] : [`On ${where}:\n${said.split("\n").slice(-60).join("\n")}`];
}
