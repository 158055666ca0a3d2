// The programs in docs/testing.md do what the page says: run as a user runs them, on the packages as they are published.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cleanUp, ROOT, startProgram } from "./harness/processes.ts";

const LONG = { timeout: 120_000 };
const page = readFileSync(join(ROOT, "docs/testing.md"), "utf8");
const files = [...page.matchAll(/```[jt]s\n\/\/ (\S+)\n([\s\S]*?)```/g)].map(([, name = "", text = ""]) => ({ name, text }));
let directory = "";

beforeAll(() => {
  mkdirSync(join(ROOT, "tests/.work"), { recursive: true });
  directory = mkdtempSync(join(ROOT, "tests/.work/testing-doc-"));
  writeFileSync(join(directory, "package.json"), '{ "type": "module" }');
  for (const { name, text } of files) writeFileSync(join(directory, name), text);
});

afterAll(async () => {
  await cleanUp();
  rmSync(directory, { recursive: true, force: true });
});

async function ends(args: string[]): Promise<{ code: number | null; output: string }> {
  const program = startProgram(args, { cwd: directory, env: { NO_COLOR: "1" } });
  const { code } = await program.exited;
  return { code, output: program.output() };
}
const bin = (path: string) => join(ROOT, "node_modules", path);

test("has the files it speaks of", () => {
  expect(files.map(({ name }) => name)).toEqual(["jobs.ts", "jobs.test.ts", "jobs.node.test.ts", "eslint.config.js"]);
});

test("its programs compile", LONG, async () => {
  const module = {
    module: "nodenext",
    target: "es2023",
    types: ["node"],
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  };
  const config = { compilerOptions: { ...module, strict: true, exactOptionalPropertyTypes: true }, include: ["*.ts"] };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
  expect(await ends([bin("typescript/bin/tsc"), "-p", "."])).toEqual({ code: 0, output: "" });
});

test("its tests pass in vitest", LONG, async () => {
  writeFileSync(join(directory, "vitest.config.ts"), "export default {};");
  const { code, output } = await ends([bin("vitest/vitest.mjs"), "run", "--root", directory, "jobs.test.ts"]);
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/Tests\D+4 passed/) });
});

test("its test passes in node:test", LONG, async () => {
  const { code, output } = await ends(["--import", "tsx", "--test", "jobs.node.test.ts"]);
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringMatching(/pass 1\n[\s\S]*fail 0\n/) });
});

test("its configuration makes ESLint find a key used twice", LONG, async () => {
  const program = 'client.defineJob({ run: async (_, io) => {\n  await io.wait("a", 1);\n  await io.wait("a", 1);\n} });\n';
  writeFileSync(join(directory, "twice.js"), program);
  const { code, output } = await ends([bin("eslint/bin/eslint.js"), "twice.js"]);
  expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining("holdfast/no-duplicated-task-keys") });
  expect(output).toContain('3:17  error  The cacheKey "a" is used on line 2 already');
});
