// The newer lines of Node we say we run on: carries a webhook, and on the newest users' programs, through a real server. Called by check.mjs (`npm run check -- nodes`).
// What runs the other tests is the oldest line.
import { delimiter, dirname, join } from "node:path";
import { failuresOf, withPackage } from "./from-registry.mjs";

/** The whole way of a webhook. */
const WALKTHROUGH = "tests/walkthrough.test.ts";
/** What is tried on each; on the newest also v2's programs on both SDKs, and a server that is killed. Pinned, so that a release of Node's is no surprise of ours. */
const LINES = {
  "22.23.5": [WALKTHROUGH],
  "24.22.3": [WALKTHROUGH, "tests/published.test.ts", "tests/streamed-calls.test.ts"],
};

function failuresOn([version, tests]) {
  const platform = process.platform === "win32" ? "win" : process.platform;
  return withPackage(`node-${platform}-${process.arch}@${version}`, (directory) => {
    const node = join(directory, "bin", process.platform === "win32" ? "node.exe" : "node");
    return failuresOf(`Node ${version}`, node, tests, { PATH: `${dirname(node)}${delimiter}${process.env.PATH}` });
  });
}

/** What failed, as texts; empty when all lines run us. */
export function nodeLineFailures() {
  return Object.entries(LINES).flatMap(failuresOn);
}
