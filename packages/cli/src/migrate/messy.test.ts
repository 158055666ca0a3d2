// `holdfast migrate` on monorepos as people have them: workspaces of each package manager, pins and patches, mocks, and names in settings.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { run } from "../program.ts";
import { remarkText } from "../project/propose.ts";
import { appliedTo, projectOf, type Texts, writeProject } from "../testing/test-project.ts";
import { testWorld } from "../testing/test-world.ts";
import { type MigrateFlags, planMigrate } from "./migrate.ts";

const undo: (() => unknown)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

const ALIAS = "npm:@holdfast/sdk@^1.2.3";
const V2 = '{ "dependencies": { "@trigger.dev/sdk": "2.3.19" } }';
const json = (value: object) => JSON.stringify(value, null, 2);

function migrated(texts: Texts, flags: MigrateFlags = {}) {
  const plan = planMigrate(projectOf(texts), flags, "1.2.3");
  const after = appliedTo(texts, plan);
  expect(planMigrate(projectOf(after), flags, "1.2.3").changes, "a second time").toEqual([]);
  const read = (path: string) => JSON.parse(after[path] ?? "null");
  return { after, read, paths: plan.changes.map(({ path }) => path), told: plan.remarks.map(remarkText) };
}

async function called(texts: Texts, words: string[], below = ".") {
  const world = testWorld();
  undo.push(world.remove);
  writeProject(world.cwd, texts);
  mkdirSync(join(world.cwd, below), { recursive: true });
  const exit = await run(["migrate", ...words], { ...world, cwd: join(world.cwd, below) });
  return { exit, ...world.printed };
}

describe("overrides for integrations", () => {
  const MEMBER = json({ name: "web", dependencies: { "@trigger.dev/openai": "2.3.18", "@trigger.dev/sdk": "2.3.18" } });
  const OVERRIDE = { "@trigger.dev/sdk": ALIAS };

  test.each([
    ["npm", { "package-lock.json": "{}" }, { overrides: OVERRIDE }],
    ["yarn", { "yarn.lock": "" }, { resolutions: OVERRIDE }],
    ["bun", { "bun.lock": "" }, { overrides: OVERRIDE }],
  ])("%s: stand in the root's package.json, the only one that is asked", (_manager, lock, expected) => {
    const root = json({ name: "all", workspaces: ["apps/*"] });
    const { read } = migrated({ "package.json": root, "apps/web/package.json": MEMBER, ...lock });
    expect(read("package.json")).toEqual({ name: "all", workspaces: ["apps/*"], ...expected });
    expect(read("apps/web/package.json")).toEqual({
      name: "web",
      dependencies: { "@trigger.dev/openai": "2.3.18", "@trigger.dev/sdk": ALIAS },
    });
  });

  const YAML = 'packages:\n  - "apps/*"\n';
  const PNPM = { "pnpm-lock.yaml": "lockfileVersion: '9.0'\n", "pnpm-workspace.yaml": YAML, "apps/web/package.json": MEMBER };

  test("pnpm: in package.json up to 9, in pnpm-workspace.yaml from 10 on, in both where that is not told", () => {
    const root = (more = {}) => ({ "package.json": json({ name: "all", ...more }) });
    const nine = migrated({ ...PNPM, ...root({ packageManager: "pnpm@9.15.9" }) });
    expect(nine.read("package.json").pnpm).toEqual({ overrides: OVERRIDE });
    expect(nine.after["pnpm-workspace.yaml"]).toBe(YAML);
    const twelve = migrated({ ...PNPM, ...root({ packageManager: "pnpm@12.21.0" }) });
    expect(twelve.paths).toEqual(["apps/web/package.json", "pnpm-workspace.yaml"]);
    expect(twelve.after["pnpm-workspace.yaml"]).toBe(`${YAML}overrides:\n  "@trigger.dev/sdk": ${ALIAS}\n`);
    expect(migrated({ ...PNPM, ...root() }).paths).toEqual(["apps/web/package.json", "package.json", "pnpm-workspace.yaml"]);
  });

  test("pnpm: overrides that are there in pnpm-workspace.yaml get it, and keep theirs", () => {
    const pinned = `overrides:\r\n    foo: 1.0.0\r\n    '@trigger.dev/sdk': 2.3.18 # pinned\r\n${YAML.replaceAll("\n", "\r\n")}`;
    const root = { "package.json": json({ packageManager: "pnpm@10.1.0" }) };
    const now = migrated({ ...PNPM, ...root, "pnpm-workspace.yaml": pinned }).after["pnpm-workspace.yaml"];
    expect(now).toBe(pinned.replace("2.3.18", ALIAS));
    const others = pinned.replace(/.*@trigger.*\r\n/, "");
    expect(migrated({ ...PNPM, ...root, "pnpm-workspace.yaml": others }).after["pnpm-workspace.yaml"]).toBe(
      others.replace("overrides:\r\n", `overrides:\r\n    "@trigger.dev/sdk": ${ALIAS}\r\n`),
    );
    const flow = migrated({ ...PNPM, ...root, "pnpm-workspace.yaml": "overrides: { foo: 1.0.0 }\n" });
    expect(flow.paths).toEqual(["apps/web/package.json"]);
    expect(flow.told).toEqual([`pnpm-workspace.yaml: its overrides need "@trigger.dev/sdk": ${ALIAS}`]);
  });

  test("in a member's own folder: a person is told, since the root is out of sight, and the manager is the root's", async () => {
    const texts = { "package.json": '{ "workspaces": ["apps/*"] }', "yarn.lock": "", "apps/web/package.json": MEMBER };
    const { out } = await called(texts, ["--dry-run", "--json"], "apps/web");
    const { changes, remarks, packageManager } = JSON.parse(out);
    expect([packageManager, changes.map(({ path }: { path: string }) => path)]).toEqual(["yarn", ["package.json"]]);
    expect(changes[0].diff).not.toContain("resolutions");
    expect(remarks.map(remarkText)).toEqual([
      expect.stringMatching(
        /^\.\.\/\.\.\/package\.json: its resolutions need "@trigger\.dev\/sdk": "npm:.*", for the integrations/,
      ),
    ]);
  });
});

test("pins of before make way: they would bring v2's SDK back, or end an install", () => {
  const pinned = {
    dependencies: { "@trigger.dev/sdk": "2.3.18" },
    overrides: { "@trigger.dev/sdk": "2.3.18", "@trigger.dev/express": "2.3.18", other: { "@trigger.dev/sdk": "2.3.18" } },
    resolutions: { "@trigger.dev/sdk": "2.3.18", "**/@trigger.dev/sdk": "2.3.18" },
    pnpm: { overrides: { "@trigger.dev/sdk": "2.3.18" }, patchedDependencies: { "@trigger.dev/sdk@2.3.18": "patches/a.patch" } },
    peerDependenciesMeta: { "@trigger.dev/nextjs": { optional: true } },
  };
  const { read, told } = migrated({ "package.json": json(pinned), "patches/@trigger.dev+sdk+2.3.18.patch": "" });
  expect(read("package.json")).toMatchObject({
    overrides: { "@trigger.dev/sdk": ALIAS },
    resolutions: { "@trigger.dev/sdk": ALIAS, "**/@trigger.dev/sdk": ALIAS },
    pnpm: { overrides: { "@trigger.dev/sdk": ALIAS } },
  });
  expect(read("package.json").overrides).not.toHaveProperty(["@trigger.dev/express"]);
  expect(told).toEqual([
    "package.json:8: names @trigger.dev/sdk 2.3.18, which is replaced",
    "package.json:20: names @trigger.dev/sdk@2.3.18, which is replaced",
    "package.json:24: names @trigger.dev/nextjs, which is @trigger.dev/sdk/next now",
    "patches/@trigger.dev+sdk+2.3.18.patch: is for a package that is replaced: take it out",
  ]);
  const direct = migrated({ "package.json": json(pinned) }, { imports: true }).read("package.json");
  expect([direct.overrides, direct.resolutions]).toEqual([{ other: { "@trigger.dev/sdk": "2.3.18" } }, {}]);
});

test("peers: any version of the alias, which has to be there for the library itself", () => {
  const peer = { peerDependencies: { "@trigger.dev/sdk": "^2.3.18" } };
  expect(migrated({ "package.json": json(peer) }).read("package.json")).toEqual({
    peerDependencies: { "@trigger.dev/sdk": "*" },
    devDependencies: { "@trigger.dev/sdk": ALIAS },
  });
  const both = { ...peer, devDependencies: { "@trigger.dev/sdk": "^2.3.18" } };
  expect(migrated({ "package.json": json(both) }, { imports: true }).read("package.json")).toEqual({
    peerDependencies: { "@holdfast/sdk": "^1.2.3" },
    devDependencies: { "@holdfast/sdk": "^1.2.3" },
  });
});

test("packages that come from this workspace, a folder or a repository are left to a person; a patch is told", () => {
  for (const range of ["workspace:*", "file:../sdk", "link:../sdk", "../sdk", "github:me/sdk", "git+ssh://git@x.example/sdk"]) {
    const text = json({ dependencies: { "@trigger.dev/sdk": range } });
    expect(migrated({ "package.json": text })).toMatchObject({
      paths: [],
      told: [`package.json:3: @trigger.dev/sdk comes from ${range}, and is left to you`],
    });
  }
  const patched = json({ dependencies: { "@trigger.dev/sdk": "patch:@trigger.dev/sdk@npm%3A2.3.18#~/.yarn/patches/a.patch" } });
  const { read, told } = migrated({ "package.json": patched });
  expect(read("package.json").dependencies).toEqual({ "@trigger.dev/sdk": ALIAS });
  expect(told).toEqual(["package.json:3: the patch of @trigger.dev/sdk is left out"]);
});

test("catalogs: ranges of packages stand in pnpm-workspace.yaml, v3's too", async () => {
  const texts = (range: string) => ({
    "package.json": json({ dependencies: { "@trigger.dev/sdk": "catalog:" } }),
    "pnpm-workspace.yaml": `packages: []\ncatalog:\n  '@trigger.dev/sdk': ${range}\n`,
  });
  const { read, told } = migrated(texts("^2.3.18"));
  expect(read("package.json").dependencies).toEqual({ "@trigger.dev/sdk": ALIAS });
  expect(told).toEqual(["pnpm-workspace.yaml:3: names @trigger.dev/sdk, and is of a kind that is left to you"]);
  expect(await called(texts("^4.0.0"), ["--yes"])).toMatchObject({ exit: 1, err: expect.stringContaining("another product") });
});

test("of a monorepo with v2 and v3 in it, the way out is told", async () => {
  const later = '{ "dependencies": { "@trigger.dev/sdk": "^3.1.0" } }';
  const { exit, err } = await called({ "package.json": "{}", "apps/a/package.json": V2, "apps/b/package.json": later }, [
    "--yes",
  ]);
  expect([exit, err]).toEqual([1, expect.stringContaining("in the folder of the package that is on v2")]);
});

test("mocks and look-ups with types name modules, too", () => {
  const source = (express: string) => `jest.mock<typeof import("${express}")>("${express}", () => ({}));
const real = jest.requireActual<Partial<Record<string, typeof import("${express}")>>>("${express}");
jest.unstable_mockModule('${express}', () => ({})); mock.module("${express}", {});
jest.createMockFromModule("${express}");
import type { A } from "${express}"; export type { B } from "${express}"; export * as all from "${express}";
import old = require("${express}"); const { createMiddleware: made } = require(\`${express}\`);
const lazy = async () => (await import(/* webpackChunkName: "x" */ "${express}")).createMiddleware;
declare module "${express}" { interface X {} }
`;
  const { after, told } = migrated({ "package.json": V2, "a.test.ts": source("@trigger.dev/express") });
  expect(after["a.test.ts"]).toBe(source("@trigger.dev/sdk/express"));
  expect(told).toEqual([]);
});

test("a name that is a whole text, in settings and rules, is told and stays", () => {
  const settings = `module.exports = {
  transpilePackages: ["@trigger.dev/react", "@trigger.dev/sdk"],
  rules: { "no-restricted-imports": ["error", { paths: ["@trigger.dev/nextjs"] }] },
  text: "see @trigger.dev/react",
};
`;
  const { after, told } = migrated({ "package.json": V2, "next.config.js": settings });
  expect(after["next.config.js"]).toBe(settings);
  expect(told).toEqual([
    "next.config.js:2: the text @trigger.dev/react stays: the package is @trigger.dev/sdk/react now",
    "next.config.js:3: the text @trigger.dev/nextjs stays: the package is @trigger.dev/sdk/next now",
  ]);
});

test("Jest loads no ES modules by itself: what its settings need is told, until they have it", () => {
  const texts = { "package.json": V2, "apps/web/package.json": '{\n  "devDependencies": { "jest": "^29" }\n}' };
  const remark = "apps/web/package.json:2: Jest must transform our SDK, which is ES modules (docs/testing.md#jest)";
  expect(migrated(texts).told).toEqual([remark]);
  expect(migrated({ ...texts, "apps/web/jest.config.js": 'transformIgnorePatterns: ["node_modules/(?!x)"]' }).told).toEqual([
    remark,
  ]);
  const done = 'module.exports = { transformIgnorePatterns: ["/node_modules/(?!@holdfast/)"] };';
  expect(migrated({ ...texts, "apps/web/jest.config.js": done }).told).toEqual([]);
});

test("Astro: what a build would write into itself is told with its place and what to write instead, and changed in nothing", () => {
  const client = `import { TriggerClient } from "@trigger.dev/sdk";
// import.meta.env.TRIGGER_API_KEY
export const client = new TriggerClient({
  apiKey: import.meta.env.TRIGGER_API_KEY, name: "import.meta.env.TRIGGER_API_KEY",
  apiUrl: import.meta.env?.["TRIGGER_API_URL"] ?? process.env.TRIGGER_API_URL,
});
`;
  const texts = {
    "package.json": json({ private: true, workspaces: ["apps/*"] }),
    "apps/blog/package.json": json({ dependencies: { "@trigger.dev/sdk": "2.3.19", astro: "^5.17.3" } }),
    "apps/blog/src/trigger.ts": client,
    "apps/blog/src/pages/index.astro":
      "---\nconst { MODE, TRIGGER_API_KEY: key } = import.meta.env;\nconst open = import.meta.env.PUBLIC_TRIGGER_PUBLIC_API_KEY;\n---\n<p>{import.meta.env.MODE}</p>\n",
    "apps/old/package.json": json({ dependencies: { "@trigger.dev/sdk": "2.3.19" }, devDependencies: { astro: "^3.1.0" } }),
    "apps/old/src/trigger.ts": client,
    "apps/kit/package.json": json({ dependencies: { "@trigger.dev/sdk": "2.3.19", "@sveltejs/kit": "2" } }),
    "apps/kit/src/trigger.ts": client,
  };
  const { told, after } = migrated(texts);
  const build = (what: string) =>
    `astro build writes ${what} from .env into the build here, whatever the environment it is started in says`;
  const secret = (name: string) => `write getSecret("${name}"), with import { getSecret } from "astro:env/server"`;
  const set = (name: string) =>
    `write process.env.${name}, and start the build with it: node --env-file=.env dist/server/entry.mjs`;
  expect(told).toEqual([
    `apps/blog/src/pages/index.astro:2: ${build("your secret key")}: ${secret("TRIGGER_API_KEY")}`,
    `apps/blog/src/trigger.ts:4: ${build("your secret key")}: ${secret("TRIGGER_API_KEY")}`,
    `apps/blog/src/trigger.ts:5: ${build("the address")}: ${secret("TRIGGER_API_URL")}`,
    `apps/old/src/trigger.ts:4: ${build("your secret key")}: ${set("TRIGGER_API_KEY")}`,
    `apps/old/src/trigger.ts:5: ${build("the address")}: ${set("TRIGGER_API_URL")}`,
  ]);
  expect(after["apps/blog/src/trigger.ts"]).toBe(client);
  const renamed = migrated(texts, { renameEnv: true });
  expect(renamed.told).toContainEqual(expect.stringContaining(secret("HOLDFAST_API_KEY")));
});
