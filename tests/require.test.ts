// CommonJS projects, as most of v2's were: our SDK, which is ES modules, is required, and typechecks under every setting of the compiler that v2's did.
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanUp, freshDirectory, ROOT } from "./harness/processes.ts";
import { typeErrors } from "./harness/typecheck.ts";

const SOURCE = `
import { createNodeHandler } from "@trigger.dev/sdk/node";
import { eventTrigger, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "shop", apiKey: "tr_dev_x" });
client.defineJob({
  id: "thank",
  name: "Thank",
  version: "1.0.0",
  trigger: eventTrigger({ name: "order" }),
  run: async (payload: { buyer: string }, io) => io.runTask("thanks", async () => payload.buyer.length),
});
export const handler = createNodeHandler(client);
// @ts-expect-error: types are there, and strict
export const wrong: number = client.id;
`;
let project: string;

beforeAll(() => {
  project = freshDirectory();
  writeFileSync(join(project, "package.json"), '{ "name": "shop" }');
  writeFileSync(join(project, "jobs.ts"), SOURCE);
  mkdirSync(join(project, "node_modules/@trigger.dev"), { recursive: true });
  symlinkSync(join(ROOT, "packages/sdk"), join(project, "node_modules/@trigger.dev/sdk"), "dir");
});
afterAll(cleanUp);

test.each(["node16", "node18", "node20", "nodenext"])(
  "typechecks as CommonJS under module %s, our declarations too",
  async (module) => {
    const options = { module, moduleResolution: module === "nodenext" ? "nodenext" : "node16", skipLibCheck: false };
    expect(await typeErrors(project, options)).toBe("");
  },
);

test("is required, and is the same as what is imported", async () => {
  const say = `
    const required = require("@trigger.dev/sdk");
    const { createNodeHandler } = require("@trigger.dev/sdk/node");
    import("@trigger.dev/sdk").then((imported) =>
      console.log(new required.TriggerClient({ id: "shop" }).id, imported.TriggerClient === required.TriggerClient, typeof createNodeHandler));`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ["-e", say], { cwd: project });
  expect([stdout, stderr]).toEqual(["shop true function\n", ""]);
});

test("every entry can be required", async () => {
  for (const name of ["sdk", "protocol"]) {
    const at = join(ROOT, "packages", name);
    const { exports } = JSON.parse(readFileSync(join(at, "package.json"), "utf8")) as {
      exports: Record<string, { types: string; require?: { types: string } }>;
    };
    for (const [entry, { types, require }] of Object.entries(exports))
      if (require) expect(readFileSync(join(at, require.types), "utf8"), entry).toBe(readFileSync(join(at, types), "utf8"));
      else expect(entry, "its only export is the default one").toBe("./eslint");
    const load = Object.keys(exports).map((entry) => `require(${JSON.stringify(`@holdfast/${name}${entry.slice(1)}`)})`);
    await promisify(execFile)(process.execPath, ["-e", load.join(";")], { cwd: ROOT });
  }
});
