// docs/testing.md under Jest as users have it: with the settings the page gives, for CommonJS by ts-jest and by Babel alone, and with Jest's own ES modules.
// The SDK is in node_modules as npm puts it, under its own name or v2's.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installOurs } from "./harness/built-app.ts";
import { freshProject, removeProjects } from "./harness/dev.ts";
import { cleanUp, ROOT, startProgram } from "./harness/processes.ts";
import { type Texts, writeFiles } from "./harness/written-project.ts";

const LONG = { timeout: 120_000 };
const INSTALL = "tests/jest";
const page = readFileSync(join(ROOT, "docs/testing.md"), "utf8");
const [matchersDeclared = ""] = /declare module "expect" .*?\} \}/.exec(page) ?? [];
const [, settings = ""] = /## Jest[\s\S]*?```js\n([\s\S]*?)```/.exec(page) ?? [];

beforeAll(() => {
  if (existsSync(join(ROOT, INSTALL, "node_modules/.package-lock.json"))) return;
  throw new Error(`Jest is not installed: node scripts/install.mjs ${INSTALL}`);
});
afterAll(async () => {
  await cleanUp();
  removeProjects();
});

const job = (sdk: string) => `import { eventTrigger, TriggerClient } from "${sdk}";

export const client = new TriggerClient({ id: "shop" });
export const reminder = client.defineJob({
  id: "payment-reminder",
  name: "Payment reminder",
  version: "1.0.0",
  trigger: eventTrigger({ name: "invoice.created" }),
  run: async (invoice, io) => {
    await io.wait("two weeks", 14 * 86_400);
    const { paid } = await io.runTask("look", async () => {
      throw new Error("Nobody may ask for " + invoice.id);
    });
    return io.runTask("outer", async () => io.runTask("inner", async () => [paid, new Date().getFullYear()]));
  },
});
`;

/** @param head what the test framework needs in front */
const tried = (sdk: string, head = "") => `${head}import { createJobTester, matchers } from "${sdk}/testing";
import { reminder } from "./reminder";

expect.extend(matchers);

test("reminds after two weeks", async () => {
  jest.useFakeTimers({ now: new Date("2031-12-25T12:00:00Z") });
  const tester = createJobTester({ ...jest, isFakeTimers: () => true, setSystemTime: (now) => jest.setSystemTime(now) });
  const look = jest.fn().mockResolvedValue({ paid: true });
  const run = await tester.run(reminder, { id: "inv_1" }, { tasks: { look } });
  expect(run.waitsFor).toMatchObject([{ key: "two weeks" }]);
  await run.advance("14d");
  expect(run).toHaveSucceeded();
  expect(run).toHaveRunTask("look");
  expect(run.output).toEqual([true, 2032]);
  expect(look).toHaveBeenCalledTimes(1);
});

test("reminds of nothing that is paid, in the words of v2", async () => {
  const { status, tasks } = await createJobTester(jest)(reminder, { payload: { id: "inv_2" }, tasks: { look: { paid: false } } });
  expect(status).toBe("SUCCESS");
  expect(tasks.look).toHaveBeenCalledTimes(1);
});
`;

interface Setting {
  sdk: string;
  texts: Texts;
  /** For node, before Jest. */
  flags?: string[];
}

const BABEL = settings.replace(/^ *preset: "ts-jest",\n/m, "");
const typescript = (sdk: string): Texts => ({
  "package.json": "{}",
  "jest.config.js": settings,
  "tsconfig.json": JSON.stringify({ compilerOptions: { module: "commonjs", moduleResolution: "node", esModuleInterop: true } }),
  "reminder.ts": job(sdk)
    .replace("(invoice, io)", "(invoice: { id: string }, io)")
    .replace("async () => {", "async (): Promise<{ paid: boolean }> => {"),
  "reminder.test.ts": tried(sdk, 'import { expect, jest, test } from "@jest/globals";\n')
    .replace("expect.extend", `${matchersDeclared}\nexpect.extend`)
    .replace("{ createJobTester, matchers }", "{ createJobTester, type JobMatchers, matchers }")
    .replace("jest.fn()", "jest.fn<() => Promise<{ paid: boolean }>>()"),
});

const SETTINGS: Record<string, Setting> = {
  "CommonJS, ts-jest": { sdk: "@holdfast/sdk", texts: typescript("@holdfast/sdk") },
  "CommonJS, ts-jest, under v2's name": { sdk: "@trigger.dev/sdk", texts: typescript("@trigger.dev/sdk") },
  "CommonJS, Babel": {
    sdk: "@holdfast/sdk",
    texts: {
      "package.json": "{}",
      "jest.config.js": BABEL,
      "reminder.js": job("@holdfast/sdk"),
      "reminder.test.js": tried("@holdfast/sdk"),
    },
  },
  "ES modules": {
    sdk: "@holdfast/sdk",
    flags: ["--experimental-vm-modules"],
    texts: {
      "package.json": '{ "type": "module" }',
      "jest.config.js": "export default { transform: {} };\n",
      "reminder.js": job("@holdfast/sdk"),
      "reminder.test.js": tried("@holdfast/sdk", 'import { expect, jest, test } from "@jest/globals";\n').replace(
        "./reminder",
        "./reminder.js",
      ),
    },
  },
};

describe("docs/testing.md, Jest", () => {
  test.each(Object.entries(SETTINGS))("%s: a job is tested as the page says", LONG, async (_name, { sdk, texts, flags = [] }) => {
    const directory = join(freshProject({}, INSTALL), "app");
    writeFiles(directory, texts);
    installOurs(directory, sdk);
    const jest = join(ROOT, INSTALL, "node_modules/jest/bin/jest.js");
    const program = startProgram([...flags, jest, "--runInBand", "--no-watchman"], { cwd: directory });
    const { code } = await program.exited;
    expect(program.output()).toContain("Tests:       2 passed, 2 total");
    expect(code).toBe(0);
  });
});
