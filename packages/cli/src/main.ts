// What `bin/holdfast.js` runs: one command line in the real world. Everything it decides is in program.ts.
import { realWorld } from "./platform/real-world.ts";
import { run } from "./program.ts";

// A stop may wait on timers and processes that do not keep Node alive by themselves: it would leave with 13 in the middle of it.
const alive = setInterval(() => {}, 2 ** 30);
const exit = await run(process.argv.slice(2), realWorld());
clearInterval(alive);
// Both streams are empty before we leave; whatever a library still holds open must not keep us.
await new Promise((written) => process.stdout.write("", written));
await new Promise((written) => process.stderr.write("", written));
process.exit(exit);
