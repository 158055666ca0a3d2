// Bench: DBOS's app. DBOS is a library, so the app takes jobs by HTTP and starts workflows in its own process; it answers once the workflow is recorded,
// or, when asked to wait, once it has ended.
import { createServer } from "node:http";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { sleeper, steps, tell } from "./tell.mjs";

const workflows = {
  noop: DBOS.registerWorkflow(async ({ id }) => void tell({ job: "noop", id }), { name: "noop" }),
  steps: DBOS.registerWorkflow((job) => steps(job, (i) => DBOS.runStep(async () => i, { name: `step ${i}` })), { name: "steps" }),
  sleep: DBOS.registerWorkflow((job) => sleeper(job, (ms) => DBOS.sleep(ms)), { name: "sleep" }),
};

DBOS.setConfig({ name: "bench", systemDatabaseUrl: process.env.BENCH_DATABASE_URL, logLevel: "error" });
await DBOS.launch();

const server = createServer(async (request, response) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  const job = JSON.parse(text);
  const workflow = workflows[job.kind];
  try {
    if (request.url === "/wait") await workflow(job);
    else await DBOS.startWorkflow(workflow)(job);
    response.end("ok");
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
server.listen(0, "127.0.0.1", () => console.log(`ready on ${server.address().port}`));
