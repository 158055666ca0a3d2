// Room: platform/postgres, tests only. A program that starts the embedded server and then waits to be killed.
// Run by embedded.test.ts with the data directory as argument. Prints one line of JSON once the database is up; SIGTERM stops it.
// With `once` behind it, the program stops the database by itself and has nothing else that would keep Node running.
// It runs the compiled package on bare Node: a TypeScript loader would keep Node running and hide that we do not.
import { createLogger } from "../../../dist/platform/log.js";
import { startEmbeddedPostgres } from "../../../dist/platform/postgres/embedded.js";

const [dataDir, once] = process.argv.slice(2);
const postgres = await startEmbeddedPostgres({ dataDir, log: createLogger() });
process.stdout.write(`${JSON.stringify({ pid: postgres.pid, adopted: postgres.adopted, connection: postgres.connection })}\n`);
if (once) {
  await postgres.stop();
} else {
  process.once("SIGTERM", () => postgres.stop().then(() => process.exit(0)));
  setInterval(() => undefined, 60_000);
}
