// Tests: the same app with `@trigger.dev/sdk` being an alias of our SDK, which dials out.
import { client } from "./jobs.ts";

await client.connect().ready;
console.log("registered");
