// `holdfast migrate`: routes as React Router's compiler takes them, references of types, v2's CLI, and what it says to run next.
import { afterEach, describe, expect, test } from "vitest";
import { run } from "../program.ts";
import { remarkText } from "../project/propose.ts";
import { appliedTo, projectOf, type Texts, writeProject } from "../testing/test-project.ts";
import { testWorld } from "../testing/test-world.ts";
import { planMigrate } from "./migrate.ts";

const undo: (() => unknown)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

const json = (value: object) => JSON.stringify(value, null, 2);
const V2 = { "@trigger.dev/sdk": "2.3.19" };

function migrated(texts: Texts) {
  const plan = planMigrate(projectOf(texts), {}, "1.2.3");
  const after = appliedTo(texts, plan);
  expect(planMigrate(projectOf(after), {}, "1.2.3").changes, "a second time").toEqual([]);
  return { after, told: plan.remarks.map(remarkText) };
}

async function nextOf(texts: Texts) {
  const world = testWorld();
  undo.push(world.remove);
  writeProject(world.cwd, texts);
  expect(await run(["migrate", "--dry-run", "--json"], world)).toBe(0);
  return JSON.parse(world.printed.out).next as string[];
}

describe("a Remix route under React Router 7", () => {
  const ROUTER = {
    "package.json": json({
      dependencies: { ...V2, "@trigger.dev/remix": "2.3.19" },
      devDependencies: { "@react-router/dev": "7" },
    }),
  };
  const route = (text: string, manifest: Texts = ROUTER) => {
    const { after, told } = migrated({ ...manifest, "app/routes/api.trigger.ts": text });
    return { text: after["app/routes/api.trigger.ts"]?.replace('"@trigger.dev/sdk/remix"', '"@trigger.dev/remix"'), told };
  };
  const head = 'import { createRemixRoute } from "@trigger.dev/remix";\n';

  test.each([
    ["const { action } = createRemixRoute(client);", "const { action } = createRemixRoute(client);\nexport { action };"],
    [
      "const {action, loader} = createRemixRoute(make({ a: 1 }))",
      "const {action, loader} = createRemixRoute(make({ a: 1 }))\nexport { action, loader }",
    ],
    [
      "const { action: post } = createRemixRoute(client); // v2",
      "const { action: post } = createRemixRoute(client);\nexport { post }; // v2",
    ],
  ])("is declared first and exported then: export %s", (before, now) => {
    expect(route(`${head}export ${before}\n`)).toEqual({ text: `${head}${now}\n`, told: [] });
  });

  test("keeps Windows' line ends, and knows React Router by its settings", () => {
    const settings = { "package.json": json({ dependencies: { "@trigger.dev/remix": "2.3.19" } }), "react-router.config.ts": "" };
    const before = `${head}export const { action } = createRemixRoute(client);\n`.replaceAll("\n", "\r\n");
    expect(route(before, settings).text).toBe(
      before.replace("export const", "const").replace(/;\r\n$/, ";\r\nexport { action };\r\n"),
    );
  });

  test("stays where it stands well: on Remix, by a name of its own, and where it is another call", () => {
    const remix = { "package.json": json({ dependencies: { ...V2, "@trigger.dev/remix": "2.3.19", "@remix-run/node": "2" } }) };
    const v2 = `${head}export * from "~/jobs.server";\nexport const { action } = createRemixRoute(client);\n`;
    expect(route(v2, remix)).toEqual({ text: v2, told: [] });
    for (const text of ["export const action = createRemixRoute(client).action;\n", "export const { action } = other(client);\n"])
      expect(route(head + text)).toEqual({ text: head + text, told: [] });
  });

  test("jobs beside it are told: they would come into what browsers get", () => {
    const { told } = route(
      `${head}export * from "~/jobs.server";\nimport "~/more.server";\nexport const { action } = createRemixRoute(client);\n`,
    );
    const message = expect.stringContaining("import the jobs in a file that exports the client");
    expect(told).toEqual([message, message]);
    expect(told[0]).toContain("app/routes/api.trigger.ts:2:");
  });
});

test("a reference to the types of a package follows it; a text that looks like one does not", () => {
  const before = `/// <reference types='@trigger.dev/react' />\n/// <reference types="vite/client" />\nconst a = \`\n/// <reference types="@trigger.dev/react" />\n\`;\n`;
  const { after } = migrated({
    "package.json": json({ dependencies: V2 }),
    "env.d.ts": before,
    "only.d.ts": '/// <reference types="@trigger.dev/nextjs"/>',
  });
  expect(after["env.d.ts"]).toBe(before.replace("'@trigger.dev/react'", "'@trigger.dev/sdk/react'"));
  expect(after["only.d.ts"]).toBe('/// <reference types="@trigger.dev/sdk/next"/>');
});

test("a Node that our SDK does not run on is told wherever it is written out", () => {
  const old = {
    "package.json": json({ engines: { node: "18.x" }, volta: { node: "20.10.0" }, dependencies: V2 }),
    Dockerfile: "FROM --platform=linux/amd64 docker.io/library/node:18-alpine AS build\nFROM node:20.18\n",
    ".nvmrc": "v16\n",
    ".tool-versions": "python 3.9\nnodejs 18.20.1\n",
    ".github/workflows/a.yml": "      - uses: actions/setup-node@v4\n        with:\n          node-version: '18'\n",
  };
  const message = (version: string) => `names Node ${version}: our SDK needs 20.19 or newer`;
  expect(migrated(old).told).toEqual([
    `.github/workflows/a.yml:3: ${message("18")}`,
    `.nvmrc:1: ${message("16")}`,
    `.tool-versions:2: ${message("18.20")}`,
    `Dockerfile:1: ${message("18")}`,
    `Dockerfile:2: ${message("20.18")}`,
    `package.json:3: ${message("18")}`,
    `package.json:3: ${message("20.10")}`,
  ]);
  const fine = {
    "package.json": json({ engines: { node: ">=18" }, volta: { node: "22.1.0" }, dependencies: V2 }),
    Dockerfile: "# FROM node:18\nFROM node:20\nFROM node:lts\nFROM mongo:18\n",
    ".nvmrc": "lts/iron\n",
    "a.yml": "node-version: [18, 20]\nnode-version: 20.19\n",
  };
  expect(migrated(fine).told).toEqual([]);
});

describe("v2's CLI", () => {
  const manifest = (scripts: Record<string, string>) =>
    json({ scripts, dependencies: V2, devDependencies: { "@trigger.dev/cli": "2.3.18", typescript: "5" } });
  const kept = (texts: Texts) => migrated(texts).after["package.json"]?.includes("@trigger.dev/cli");

  test("goes once its calls are ours, or there are none", () => {
    expect(kept({ "package.json": manifest({ jobs: "npx @trigger.dev/cli dev" }) })).toBe(false);
    expect(kept({ "package.json": manifest({ dev: "vite" }) })).toBe(false);
  });

  test("stays while a script, a file that deploys or another package calls it", () => {
    expect(kept({ "package.json": manifest({ id: "trigger-cli whoami" }) })).toBe(true);
    expect(kept({ "package.json": manifest({}), ".github/workflows/a.yml": "run: npx @trigger.dev/cli dev # trigger" })).toBe(
      true,
    );
    expect(kept({ "package.json": manifest({}), "apps/a/package.json": json({ scripts: { a: "trigger-cli update" } }) })).toBe(
      true,
    );
  });
});

describe("what to run next", () => {
  const next = { dependencies: { ...V2, next: "14" } };

  test.each<[string, Texts, string]>([
    [
      "npm",
      { "package.json": json({ ...next, scripts: { dev: "next dev -p 4000" } }) },
      "--app-url http://localhost:4000 -- npm run dev",
    ],
    [
      "pnpm",
      { "package.json": json({ ...next, scripts: { dev: "next" } }), "pnpm-lock.yaml": "" },
      "--app-url http://localhost:3000 -- pnpm dev",
    ],
    ["yarn", { "package.json": json({ dependencies: V2, scripts: { start: "node ." } }), "yarn.lock": "" }, "-- yarn start"],
    [
      "bun",
      { "package.json": json({ dependencies: V2, scripts: { "start:dev": "bun ." } }), "bun.lock": "" },
      "-- bun run start:dev",
    ],
    ["no script, a framework's own", { "package.json": json(next) }, "--app-url http://localhost:3000 -- npx next dev"],
    ["no script at all", { "package.json": json({ dependencies: V2 }) }, "-- <the command that starts your app>"],
  ])("%s", async (_what, texts, command) => {
    expect(await nextOf(texts)).toContain(`npx holdfast dev ${command}`);
  });

  test("names what the deployed app needs: v2's address and keys are of its cloud", async () => {
    const [, , deployed, ...rest] = await nextOf({ "package.json": json({ dependencies: V2 }) });
    expect(deployed).toContain("set TRIGGER_API_URL to your server, and TRIGGER_API_KEY");
    expect(rest).toEqual(["what is different: docs/migrate-from-v2.md"]);
  });

  test("at a workspace's root it is the member that has the jobs, and a script", async () => {
    const root = { "package.json": json({ workspaces: ["apps/*"], scripts: { dev: "turbo dev" } }), "yarn.lock": "" };
    const web = { "apps/web/package.json": json({ ...next, scripts: { dev: "next dev" } }) };
    const jobs = { "packages/jobs/package.json": json({ dependencies: V2 }) };
    const command = "cd apps/web && npx holdfast dev --app-url http://localhost:3000 -- yarn dev";
    expect(await nextOf({ ...root, ...web, ...jobs })).toContain(command);
    const api = { "apps/api/package.json": json({ dependencies: V2, scripts: { dev: "tsx ." } }) };
    expect(await nextOf({ ...root, ...web, ...api })).toContain("npx holdfast dev -- yarn dev");
  });
});
