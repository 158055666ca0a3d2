// Bench of peers: one peer's round as a process of its own, the load generator: `tsx bench/peers/round.ts <peer> <directory of packages>`.
// Started by compare.ts, so that no peer's client library disturbs another's. The last line of stdout is the result.
import { cleanUp, freshDirectory } from "../../tests/harness/processes.ts";
import { Course } from "./course.ts";
import type { Round } from "./figures.ts";
import { KINDS } from "./kinds.ts";
import { reasonOf, round } from "./workloads.ts";

const say = (result: Round) => process.stdout.write(`result ${JSON.stringify(result)}\n`);

async function measure(name: string, packages: string): Promise<void> {
  const kind = KINDS[name];
  if (!kind) throw new Error(`There is no peer "${name}".`);
  const peer = await kind.start({ packages, data: freshDirectory() });
  say(await round(new Course(peer, kind.steps), kind.sleepsInside, say));
  await peer.stop().catch((error) => process.stderr.write(`${name} did not stop: ${error}\n`));
}

const [name = "", packages = ""] = process.argv.slice(2);
try {
  await measure(name, packages);
} catch (error) {
  say({ figures: {}, curve: [], failures: [{ workload: "start", reason: reasonOf(error) }] });
}
await cleanUp();
process.exit(0);
