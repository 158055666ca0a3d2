// Published integrations as users have them: on the published SDK and on ours they call their services alike, retry as their service asks, and show the same tasks, without their keys.
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { TaskView } from "@holdfast/protocol";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Mounting, removeCopiedApps, startCopiedApp } from "./harness/copied-app.ts";
import { cleanUp } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";

let server: TestServer;
let services: Server;
/** What the services were asked, with the key they were shown. */
const asked: string[] = [];
/** Whether OpenAI has more than it can do, once. */
let busy = false;

function answer(request: IncomingMessage): { status: number; body: object; headers?: Record<string, string> } {
  const { method, url, headers } = request;
  asked.push(`${method} ${url} ${headers.authorization}`);
  if (url === "/emails") return { status: 200, body: { id: "mail_1" } };
  if (url === "/v1/models") return { status: 200, body: { object: "list", data: [{ id: "gpt-4" }, { id: "other" }] } };
  if (busy) {
    busy = false;
    const limits = {
      "x-ratelimit-limit-requests": "1",
      "x-ratelimit-remaining-requests": "0",
      "x-ratelimit-reset-requests": "1s",
    };
    return { status: 429, body: { error: { message: "slow down", type: "requests" } }, headers: limits };
  }
  const message = { role: "assistant", content: "Hello!" };
  return { status: 200, body: { id: "c1", object: "chat.completion", model: "gpt-4", choices: [{ index: 0, message }] } };
}

beforeAll(async () => {
  services = createServer((request, response) => {
    request.resume().on("end", () => {
      const { status, body, headers = {} } = answer(request);
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => services.listen(0, "127.0.0.1", () => resolve()));
  server = await TestServer.start();
});
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeCopiedApps();
  services.close();
  services.closeAllConnections();
});

const tasksBy = new Map<Mounting, object[]>();
const shown = ({ name, key, icon, properties, params, output, status, attempts }: TaskView) => {
  const task = { name, key, icon, properties, params, output, status, attempts };
  // Dates, and keys that are made from the run's id.
  return JSON.parse(
    JSON.stringify(task)
      .replace(/"\w{3}, \d\d [^"]* GMT"/g, '"DATE"')
      .replace(/"[0-9a-f]{64}"/g, '"KEY"'),
  );
};

describe.each<Mounting>(["published", "ours", "ours-by-push"])("integrations, SDK %s", (mounting) => {
  test("call their services, and retry when these say", { timeout: 90_000 }, async () => {
    const url = `http://127.0.0.1:${(services.address() as AddressInfo).port}`;
    const env = { ...server.appEnv, OPENAI_URL: `${url}/v1`, RESEND_BASE_URL: url };
    const files = ["tests/published/integrations.ts"];
    const app = await startCopiedApp({ mounting, files, env, integrations: ["openai", "resend"] });
    await server.api.knowsJob("write-and-mail");
    asked.length = 0;
    busy = true;
    const event = { name: "integrations.write", payload: { to: "c@d.example" } };
    const run = await server.api.runOnce("write-and-mail", event, { withinMs: 60_000 });
    expect(run.output, JSON.stringify(run.errorDetail)).toEqual({
      text: "Hello!",
      behind: "Hello!",
      mail: { id: "mail_1" },
      raw: 2,
    });
    expect(asked).toEqual([
      "POST /v1/chat/completions Bearer sk-secret",
      "POST /v1/chat/completions Bearer sk-secret",
      "POST /v1/chat/completions Bearer sk-secret",
      "POST /emails Bearer re-secret",
      "GET /v1/models Bearer sk-secret",
    ]);
    const tasks = await server.api.tasks(run.id);
    // Our SDK reports a task that holds others once it is done: such lists differ in order alone.
    tasksBy.set(mounting, tasks.sort((a, b) => (a.name < b.name ? -1 : 1)).map(shown));
    expect(JSON.stringify(tasks)).not.toMatch(/sk-secret|re-secret/);
    await app.stop();
  });
});

test("the same tasks are shown", () => {
  const [published, ours, byPush] = ["published", "ours", "ours-by-push"].map((mounting) => tasksBy.get(mounting as Mounting));
  expect(published?.length).toBeGreaterThanOrEqual(4);
  expect(ours).toEqual(published);
  expect(byPush).toEqual(published);
});
