// The sources of tests/published, written against the published SDK's types, typecheck against ours as well, in strict mode: an app moves over by an alias, type for type.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ROOT } from "./harness/processes.ts";

const PUBLISHED = join(ROOT, "tests/published");
/** What `tsc` says when types do not fit. */
const TYPE_ERROR = /error TS/;

async function problems(source?: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-types-"));
  const programs = readdirSync(PUBLISHED).filter((name) => name.endsWith(".ts") && !name.startsWith("mount-"));
  const files = programs.map((name) => join(PUBLISHED, name));
  if (source) {
    files.push(join(directory, "extra.ts"));
    writeFileSync(join(directory, "extra.ts"), source);
  }
  const compilerOptions = {
    noEmit: true,
    composite: false,
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
    paths: { "@trigger.dev/sdk": [join(ROOT, "packages/sdk/dist/index.d.ts")] },
  };
  const config = { extends: join(ROOT, "tsconfig.base.json"), compilerOptions, files };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
  try {
    await promisify(execFile)(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", directory]);
    return "";
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? error);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("programs written against v2's types fit ours", { timeout: 120_000 }, async () => {
  expect(await problems()).toBe("");
});

test("every name of v2's package is one of ours: values as values, types as types", { timeout: 120_000 }, async () => {
  const published = join(PUBLISHED, "node_modules/@trigger.dev/sdk/dist");
  const values = Object.keys(await import(join(published, "index.mjs")));
  const ours = Object.keys(await import(join(ROOT, "packages/sdk/dist/index.js")));
  expect(values.length).toBeGreaterThan(25);
  expect(values.filter((name) => !ours.includes(name))).toEqual([]);
  const lists = readFileSync(join(published, "index.d.ts"), "utf8").matchAll(/^export \{([^}]+)\}/gm);
  const types = [...lists].flatMap(([, list = ""]) => list.split(",").map((name) => name.replace("type ", "").trim()));
  expect(types.length).toBeGreaterThan(85);
  expect(await problems(`export type { ${types.join(", ")} } from "@trigger.dev/sdk";\n`)).toBe("");
});

test("what does not fit is found", { timeout: 120_000 }, async () => {
  const wrong = 'import { eventTrigger } from "@trigger.dev/sdk";\nexport const trigger = eventTrigger({ name: 7 });\n';
  expect(await problems(wrong)).toMatch(TYPE_ERROR);
});
