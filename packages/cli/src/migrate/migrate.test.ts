// `holdfast migrate` on projects made of texts: what is rewritten, what is left alone, what a person is told. That migrated projects compile and run:
// tests/migrate.test.ts.
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { run } from "../program.ts";
import { projectAt } from "../project/project.ts";
import { remarkText } from "../project/propose.ts";
import { appliedTo, projectOf, type Texts, writeProject } from "../testing/test-project.ts";
import { testWorld } from "../testing/test-world.ts";
import { type MigrateFlags, planMigrate } from "./migrate.ts";
import { migrateScript } from "./scripts.ts";
import { SUBPATHS } from "./v2-packages.ts";

const undo: (() => unknown)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

function migrated(texts: Texts, flags: MigrateFlags = {}) {
  const plan = planMigrate(projectOf(texts), flags, "1.2.3");
  const after = appliedTo(texts, plan);
  expect(planMigrate(projectOf(after), flags, "1.2.3").changes, "a second time").toEqual([]);
  return { after, paths: plan.changes.map(({ path }) => path), remarks: plan.remarks.map(remarkText) };
}

const MANIFEST = `{
    "name": "shop",
    "scripts": { "dev": "next dev", "jobs": "npx @trigger.dev/cli@2.3.19 dev -p 3001" },
    "dependencies": {
        "@trigger.dev/nextjs": "^2.3.18",
        "@trigger.dev/react": "^2.3.18",
        "@trigger.dev/sdk": "^2.3.18",
        "next": "13.5.0"
    },
    "trigger.dev": { "endpointId": "shop-x1" }
}
`;

const JOB = `// from "@trigger.dev/sdk" came this: import { x } from "@trigger.dev/nextjs";
import { eventTrigger, type TriggerClient } from '@trigger.dev/sdk';
import { createAppRoute } from "@trigger.dev/nextjs"
export * from "@trigger.dev/sdk";
const text = 'import "@trigger.dev/react"', also = \`\${require("@trigger.dev/express")} from "@trigger.dev/sdk"\`;
vi.mock("@trigger.dev/react", () => ({}));
const key = process.env.TRIGGER_API_KEY ?? process.env["TRIGGER_API_URL"]; // TRIGGER_API_KEY
`;

describe("sources", () => {
  test("by alias: only adapters move, quotes and everything else stay", () => {
    const { after, paths } = migrated({ "package.json": MANIFEST, "jobs.ts": JOB });
    expect(paths).toEqual(["jobs.ts", "package.json"]);
    expect(after["jobs.ts"]).toBe(
      JOB.replace('createAppRoute } from "@trigger.dev/nextjs"', 'createAppRoute } from "@trigger.dev/sdk/next"')
        .replace('require("@trigger.dev/express")', 'require("@trigger.dev/sdk/express")')
        .replace('vi.mock("@trigger.dev/react"', 'vi.mock("@trigger.dev/sdk/react"'),
    );
  });

  test("with --imports and --rename-env: all of them, and variables wherever they are names", () => {
    const { after } = migrated({ "package.json": MANIFEST, "jobs.ts": JOB }, { imports: true, renameEnv: true });
    expect(after["jobs.ts"]).toBe(
      JOB.replace("TriggerClient } from '@trigger.dev/sdk'", "TriggerClient } from '@holdfast/sdk'")
        .replace('createAppRoute } from "@trigger.dev/nextjs"', 'createAppRoute } from "@holdfast/sdk/next"')
        .replace('export * from "@trigger.dev/sdk"', 'export * from "@holdfast/sdk"')
        .replace('require("@trigger.dev/express")', 'require("@holdfast/sdk/express")')
        .replace('vi.mock("@trigger.dev/react"', 'vi.mock("@holdfast/sdk/react"')
        .replace("process.env.TRIGGER_API_KEY", "process.env.HOLDFAST_API_KEY")
        .replace('process.env["TRIGGER_API_URL"]', 'process.env["HOLDFAST_API_URL"]'),
    );
  });

  test("an alias of before becomes imports", () => {
    const aliased = migrated({ "package.json": MANIFEST, "jobs.ts": JOB }).after;
    const direct = migrated(aliased, { imports: true }).after;
    expect(direct).toEqual(migrated({ "package.json": MANIFEST, "jobs.ts": JOB }, { imports: true }).after);
  });
});

describe("package.json", () => {
  test("keeps its looks and the block that names the endpoint; adapters go", () => {
    const alias = migrated({ "package.json": MANIFEST }).after["package.json"];
    expect(alias).toBe(`{
    "name": "shop",
    "scripts": { "dev": "next dev", "jobs": "npx holdfast dev --app-url http://localhost:3001/api/trigger" },
    "dependencies": {
        "@trigger.dev/sdk": "npm:@holdfast/sdk@^1.2.3",
        "next": "13.5.0"
    },
    "trigger.dev": { "endpointId": "shop-x1" }
}
`);
    const imports = migrated({ "package.json": MANIFEST }, { imports: true }).after["package.json"];
    expect(imports).toBe(alias?.replace('"@trigger.dev/sdk": "npm:@holdfast/sdk@^1.2.3"', '"@holdfast/sdk": "^1.2.3"'));
  });

  test.each([
    ["package-lock.json", ["overrides"]],
    ["yarn.lock", ["resolutions"]],
    ["pnpm-lock.yaml", ["pnpm", "overrides"]],
  ])("with integrations makes theirs the app's SDK, as %s wants it", (lock, path) => {
    const manifest = '{"dependencies":{"@trigger.dev/openai":"^2.3.18"},"devDependencies":{"@trigger.dev/sdk":"^2.3.18"}}';
    const now = JSON.parse(migrated({ "package.json": manifest, [lock]: "" }).after["package.json"] ?? "");
    expect(now).toMatchObject({
      dependencies: { "@trigger.dev/openai": "^2.3.18" },
      devDependencies: { "@trigger.dev/sdk": "npm:@holdfast/sdk@^1.2.3" },
    });
    expect(path.reduce((at, key) => at[key], now)).toEqual({ "@trigger.dev/sdk": "npm:@holdfast/sdk@^1.2.3" });
  });

  test("every package of a workspace is taken", () => {
    const other = '{"dependencies":{"@trigger.dev/sdk":"2.3.19"}}';
    expect(migrated({ "package.json": MANIFEST, "apps/web/package.json": other, "apps/web/a.ts": JOB }).paths).toEqual([
      ...["apps/web/a.ts", "apps/web/package.json", "package.json"],
    ]);
  });
});

test.each([
  ["npx @trigger.dev/cli@latest dev", "npx holdfast dev --app-url http://localhost:3000/api/trigger"],
  [
    'concurrently "npm:dev" "pnpm dlx @trigger.dev/cli dev --port=4321 -H 0.0.0.0 -e .env.local" && echo',
    'concurrently "npm:dev" "npx holdfast dev --app-url http://0.0.0.0:4321/api/trigger" && echo',
  ],
  ["trigger-cli dev -h /api/jobs -i shop & next dev", "npx holdfast dev --app-url http://localhost:3000/api/jobs & next dev"],
  [
    "npx -y @trigger.dev/cli send-event -n user.made -p '{\"a\":1}' -i e1",
    "npx holdfast send user.made --payload '{\"a\":1}' --id e1",
  ],
  ["npm exec --yes @trigger.dev/cli@latest -- dev --port 3001", "npx holdfast dev --app-url http://localhost:3001/api/trigger"],
  ["npm x -- trigger-cli dev", "npx holdfast dev --app-url http://localhost:3000/api/trigger"],
  [
    "yarn run trigger-cli dev; bunx --bun trigger-cli dev",
    Array(2).fill("npx holdfast dev --app-url http://localhost:3000/api/trigger").join("; "),
  ],
  ["npx -p @trigger.dev/cli trigger-cli dev", "npx holdfast dev --app-url http://localhost:3000/api/trigger"],
  ["echo my-trigger-client dev", "echo my-trigger-client dev"],
])("the script %s", (script, expected) => {
  expect(migrateScript(script)).toEqual({ text: expected, left: [] });
});

test("variables: the dead address is replaced, names only if wished, and nothing else", () => {
  const env =
    '# TRIGGER_API_URL=https://api.trigger.dev\nTRIGGER_API_KEY=tr_dev_x\nexport TRIGGER_API_URL="https://api.trigger.dev"\nMY_TRIGGER_API_KEY=1\n';
  const texts = {
    "package.json": MANIFEST,
    ".env.local": env,
    "apps/a/.env.example": "TRIGGER_API_URL=https://cloud.trigger.dev\n",
  };
  const kept = migrated(texts).after;
  expect(kept[".env.local"]).toBe(env.replace('"https://api.trigger.dev"', '"http://localhost:3040"'));
  expect(kept["apps/a/.env.example"]).toBe("TRIGGER_API_URL=http://localhost:3040\n");
  expect(migrated(texts, { renameEnv: true }).after[".env.local"]).toBe(
    env
      .replace('"https://api.trigger.dev"', '"http://localhost:3040"')
      .replace("\nTRIGGER_API_KEY", "\nHOLDFAST_API_KEY")
      .replace("export TRIGGER_API_URL", "export HOLDFAST_API_URL"),
  );
  expect(migrated({ ...texts, "a.mdx": "\nTRIGGER_API_KEY" }, { renameEnv: true }).remarks).toEqual([
    "a.mdx:2: names TRIGGER_API_KEY, and is of a kind that is left to you",
  ]);
});

test("what does not carry over is told, with its place; what only looks like it is not", () => {
  const { remarks } = migrated({
    "package.json":
      '{\n  "dependencies": { "@trigger.dev/sdk": "2.3.19" },\n  "scripts": {\n    "who": "trigger-cli whoami"\n  }\n}',
    "jobs.ts": `import { Slack } from "@trigger.dev/slack";
import { OpenAI } from "@trigger.dev/openai";
import { JSONOutputSerializer as S, missingConnectionNotification } from "@trigger.dev/sdk";
// JSONOutputSerializer, new Slack({ id: "commented" })
const slack = new Slack({ id: "slack" });
const openai = new OpenAI({ id: "openai", apiKey: process.env.KEY!, nested: { id: 1 } });
const given = new OpenAI({ id: "openai", ...options }), also = new OpenAI(options);
export const run = async (io: IO) => [await io.getAuth("a")];
const api = "https://api.trigger.dev";
`,
    "app/route.ts": `import { createAppRoute } from "@trigger.dev/nextjs";
export const { POST, preferredRegion } = createAppRoute(client);
export const runtime = "edge";
`,
    "app/page.tsx": `import { TriggerProvider } from "@trigger.dev/react";
export const A = () => <TriggerProvider publicApiKey="pk_x"><p>Don't</p></TriggerProvider>;
export const B = () => <TriggerProvider publicApiKey="pk_x" apiUrl="/jobs" />;
`,
    "server.ts": `import { createExpressServer, createMiddleware } from "@trigger.dev/express";
import { Client } from "@trigger.dev/tunnel";
import { task } from "@trigger.dev/sdk/v3";
`,
    "src/App.vue": "<script>\n// Hi\n</script>\n<p>{{ '@trigger.dev/react' }}",
  });
  const starts = remarks.map((remark) => remark.slice(0, 60));
  expect(starts).toEqual(
    [
      "app/page.tsx:2: TriggerProvider without apiUrl asks the page",
      "app/route.ts:2: createAppRoute no longer gives preferredRegion",
      "jobs.ts:3: JSONOutputSerializer is a zod object",
      "jobs.ts:5: Slack of @trigger.dev/slack has no key in code",
      "jobs.ts:9: this service was shut down",
      "package.json:4: holdfast has no command for: trigger-cli whoami",
      "server.ts:1: createExpressServer is not there",
      "server.ts:2: @trigger.dev/tunnel is not carried over",
      "server.ts:3: @trigger.dev/sdk/v3 belongs to Trigger.dev v3",
      "src/App.vue:4: names @trigger.dev",
    ].map((start) => expect.stringMatching(new RegExp(`^${start.slice(0, 60).replace(/[.*+?^$()|[\]{}]/g, "\\$&")}`))),
  );
});

test("every subpath it names is one of the SDK", () => {
  const { exports } = JSON.parse(readFileSync(new URL("../../../sdk/package.json", import.meta.url), "utf8"));
  for (const subpath of Object.values(SUBPATHS)) expect(Object.keys(exports)).toContain(`./${subpath}`);
});

describe("the command", () => {
  async function called(texts: Texts, ...words: string[]) {
    const world = testWorld({ answer: "y" });
    undo.push(world.remove);
    writeProject(world.cwd, texts);
    return { exit: await run(["migrate", ...words], world), ...world.printed, now: projectAt(world.cwd) };
  }

  test("shows the diff and the remarks, and writes after a yes", async () => {
    const { exit, out, err, now } = await called({ "package.json": MANIFEST, "jobs.ts": JOB, "a.vue": '"@trigger.dev/sdk"' });
    expect([exit, now.read("jobs.ts")]).toEqual([0, expect.stringContaining("@trigger.dev/sdk/next")]);
    expect(out).toContain(
      '-import { createAppRoute } from "@trigger.dev/nextjs"\n+import { createAppRoute } from "@trigger.dev/sdk/next"\n',
    );
    expect(err).toContain("note  a.vue:1: names @trigger.dev");
    const dry = await called({ "package.json": MANIFEST }, "--dry-run", "--json");
    expect(JSON.parse(dry.out)).toMatchObject({
      imports: false,
      applied: false,
      changes: [{ path: "package.json" }],
      conflicts: [],
      next: expect.arrayContaining(["npx holdfast dev --app-url http://localhost:3000 -- npm run dev"]),
    });
    expect(dry.now.read("package.json")).toBe(MANIFEST);
  });

  test("refuses what is not v2's, what is v3's, and --imports where integrations need the alias", async () => {
    expect(await called({ "package.json": "{}" })).toMatchObject({ exit: 3, err: expect.stringContaining("holdfast init") });
    const version = (range: string, more = {}) => JSON.stringify({ dependencies: { "@trigger.dev/sdk": range, ...more } });
    expect(await called({ "package.json": version("^3.0.0") })).toMatchObject({
      exit: 1,
      err: expect.stringContaining("another product"),
    });
    expect(await called({ "package.json": version("2.3.19", { "@trigger.dev/stripe": "2" }) }, "--imports")).toMatchObject({
      exit: 2,
    });
  });
});
