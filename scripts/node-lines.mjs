// The newer lines of Node we say we run on: carries a webhook and users' programs through a real server on each. Called by check.mjs (`npm run check -- nodes`).
// What runs the other tests is the oldest line.
import { delimiter, dirname, join } from "node:path";
import { failuresOf, withPackage } from "./from-registry.mjs";

/** Pinned, so that a release of Node's is no surprise of ours. */
const LINES = ["22.23.5", "24.22.3"];
/** The whole way of a webhook, v2's programs on both SDKs, and a server that is killed. */
const TESTS = ["tests/walkthrough.test.ts", "tests/published.test.ts", "tests/streamed-calls.test.ts"];

function failuresOn(version) {
  const platform = process.platform === "win32" ? "win" : process.platform;
  return withPackage(`node-${platform}-${process.arch}@${version}`, (directory) => {
    const node = join(directory, "bin", process.platform === "win32" ? "node.exe" : "node");
    return failuresOf(`Node ${version}`, node, TESTS, { PATH: `${dirname(node)}${delimiter}${process.env.PATH}` });
  });
}

/** What failed, as texts; empty when all lines run us. */
export function nodeLineFailures() {
  return LINES.flatMap(failuresOn);
}
