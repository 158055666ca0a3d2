// The newer lines of Node we say we run on: fetches each from the registry into a temporary directory and carries a webhook and users' programs through a real
// server on it. Called by check.mjs (`npm run check -- nodes`). What runs the other tests is the oldest line. Promises: nothing is left behind.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { root } from "./install.mjs";

/** Pinned, so that a release of Node's is no surprise of ours. */
const LINES = ["22.23.5", "24.22.3"];
/** The whole way of a webhook, v2's programs on both SDKs, and a server that is killed. */
const TESTS = ["tests/walkthrough.test.ts", "tests/published.test.ts", "tests/streamed-calls.test.ts"];

function ran(command, args, options = {}) {
  const shell = process.platform === "win32" && command === "npm";
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: "utf8", shell, ...options });
  return { ok: status === 0, said: `${stdout ?? ""}${stderr ?? ""}`.trim() };
}

/** Node's program, as its package has it; null with the reason when it cannot be fetched. */
function fetched(version, into) {
  const platform = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${platform}-${process.arch}@${version}`;
  const pack = ran("npm", ["pack", name, "--silent", "--pack-destination", into]);
  const tarball = readdirSync(into).find((file) => file.endsWith(".tgz"));
  if (!pack.ok || !tarball) return { why: `${name} could not be fetched from the registry:\n${pack.said}` };
  const unpacked = ran("tar", ["-xzf", join(into, tarball), "-C", into]);
  if (!unpacked.ok) return { why: unpacked.said };
  return { node: join(into, "package", "bin", process.platform === "win32" ? "node.exe" : "node") };
}

function failureOn(version) {
  const into = mkdtempSync(join(tmpdir(), "holdfast-node-"));
  try {
    const { node, why } = fetched(version, into);
    if (!node) return [why];
    const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
    const { ok, said } = ran(node, ["node_modules/vitest/vitest.mjs", "run", ...TESTS], { env });
    return ok ? [] : [`On Node ${version}:\n${said.split("\n").slice(-60).join("\n")}`];
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
}

/** What failed, as texts; empty when all lines run us. */
export function nodeLineFailures() {
  return LINES.flatMap(failureOn);
}
