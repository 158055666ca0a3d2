// What `bin/holdfast.js` runs: one command line in the real world. Everything it decides is in program.ts.
import { realWorld } from "./platform/real-world.ts";
import { run } from "./program.ts";

const exit = await run(process.argv.slice(2), realWorld());
// Both streams are empty before we leave; whatever a library still holds open must not keep us.
await new Promise((written) => process.stdout.write("", written));
await new Promise((written) => process.stderr.write("", written));
process.exit(exit);
