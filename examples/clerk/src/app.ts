// The example as a program of its own: it dials out to Holdfast and holds both jobs. `holdfast dev src/app.ts`, or `npx tsx src/app.ts`.
import { client } from "./clerk.ts";
import "./welcome.ts";
import { useStandInWithoutKey } from "./stand-in-environment.ts";

await useStandInWithoutKey();

const connection = client.connect();
process.once("SIGTERM", async () => {
  await connection.close();
  process.exit(0);
});
await connection.ready;
