// Room: platform/postgres, tests only. A program that starts the embedded server and then waits to be killed.
// Run by embedded.test.ts: arguments are the data directory and, if wanted, the kind of account. Prints one line of JSON once the database is up.
import { createLogger } from "../log.ts";
import { startEmbeddedPostgres } from "./embedded.ts";

const [dataDir, account] = process.argv.slice(2);
const postgres = await startEmbeddedPostgres({ dataDir, log: createLogger(), account });
process.once("SIGTERM", () => postgres.stop().then(() => process.exit(0)));
setInterval(() => undefined, 60_000);
process.stdout.write(`${JSON.stringify({ pid: postgres.pid, adopted: postgres.adopted, connection: postgres.connection })}\n`);
