// The base of init and migrate: tokens and imports are read from code only, edits of JSON keep its looks, diffs are what git applies, and a plan is
// applied whole or not at all.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { createContext } from "../commands/context.ts";
import { writeProject } from "../testing/test-project.ts";
import { type TestWorldOptions, testWorld } from "../testing/test-world.ts";
import { unifiedDiff } from "./diff.ts";
import { importsOf } from "./imports.ts";
import { readJson, setJson } from "./json-text.ts";
import { Draft } from "./plan.ts";
import { projectAt } from "./project.ts";
import { type ProposeFlags, propose } from "./propose.ts";
import { tokensOf } from "./tokens.ts";

const undo: (() => unknown)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

test("imports are found in code, not in comments, strings, templates, tags or regular expressions", () => {
  const source = `#!/usr/bin/env node
// import a from "comment";
/* export * from "comment" */
import type { A, B as C } from "types";
import d, { type E, f as g, type } from "named";
import * as ns from 'star';
import "bare"
export { x } from "again";
export * as y from "all";
export const made = from("nothing");
const text = 'import z from "string"', tpl = \`import z from "template" \${require("hole")}\`, re = /import "regex"/;
const { h, i: j } = require("called"), k = obj.require("method");
const lazy = await import("dynamic");
const meta = import.meta.url;
`;
  const found = importsOf(tokensOf(source));
  expect(
    found.map(({ how, from, specifier, bindings }) => [how, from, specifier.line, bindings.map((b) => [b.imported, b.local])]),
  ).toEqual([
    [
      "import",
      "types",
      4,
      [
        ["A", "A"],
        ["B", "C"],
      ],
    ],
    [
      "import",
      "named",
      5,
      [
        ["default", "d"],
        ["E", "E"],
        ["f", "g"],
        ["type", "type"],
      ],
    ],
    ["import", "star", 6, [["*", "ns"]]],
    ["import", "bare", 7, []],
    ["export", "again", 8, []],
    ["export", "all", 9, []],
    ["require", "hole", 11, []],
    [
      "require",
      "called",
      12,
      [
        ["h", "h"],
        ["i", "j"],
      ],
    ],
    ["dynamic", "dynamic", 13, []],
  ]);
  for (const { specifier, from } of found) expect(source.slice(specifier.start + 1)).toMatch(new RegExp(`^${from}["']`));
});

test("tags and generics are told apart by the file's ending", () => {
  const tag = 'import a from "a";\nconst view = <p title="import">Don\'t import x from "text"</p>;\nconst b = require("b");\n';
  const generic = 'const same = <T,>(x: T) => x;\nimport a from "a";\n';
  expect(importsOf(tokensOf(tag, "view.tsx")).map(({ from }) => from)).toEqual(["a", "b"]);
  expect(importsOf(tokensOf(generic, "view.tsx")).map(({ from }) => from)).toEqual(["a"]);
  expect(importsOf(tokensOf("const a = <Type>x; import('b')", "cast.ts")).map(({ from }) => from)).toEqual(["b"]);
});

describe("JSON files", () => {
  test("keep indentation, order, inline objects, comments and line ends", () => {
    const four =
      '{\n    "name": "x",\n    "engines": { "node": ">=20" },\n    "dependencies": {\n        "a": "1",\n        "z": "1"\n    }\n}\n';
    expect(setJson(four, ["dependencies", "m"], "2")).toBe(four.replace('"1",\n', '"1",\n        "m": "2",\n'));
    expect(setJson(four, ["dependencies", "zz"], "2")).toBe(four.replace('"z": "1"', '"z": "1",\n        "zz": "2"'));
    expect(setJson(four, ["dependencies", "a"], "9")).toBe(four.replace('"a": "1"', '"a": "9"'));
    expect(setJson(four, ["engines", "npm"], "10")).toBe(four.replace('{ "node": ">=20" }', '{ "node": ">=20", "npm": "10" }'));
    expect(setJson(four, ["scripts", "dev"], "x")).toBe(
      four.replace("\n    }\n}", '\n    },\n    "scripts": {\n        "dev": "x"\n    }\n}'),
    );
    expect(setJson("{}", ["a", "b"], -1)).toBe('{\n  "a": {\n    "b": -1\n  }\n}');
    expect(setJson('{\r\n\t"a": {}\r\n}', ["a", "b"], 1)).toBe('{\r\n\t"a": {\r\n\t\t"b": 1\r\n\t}\r\n}');
    const commented = '{ // why\n  "a": [1, -2, { "b": null }], /* not\n "c": 1 */\n  "d": true,\n}';
    expect(readJson(commented)).toEqual({ a: [1, -2, { b: null }], d: true });
    expect(setJson(commented, ["d"], false)).toBe(commented.replace("true", "false"));
  });

  test("that are none are refused by name", () => {
    for (const text of ["", "{", "[]", '{"a" 1}', "{ a: 1 }"]) {
      expect(() => setJson(text, ["a"], 1, "some.json")).toThrow("some.json is not a JSON object");
    }
  });

  test("hold the value that was set, and all others, whatever they are", () => {
    const key = fc.stringMatching(/^[a-z"\\é]{1,6}$/);
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.jsonValue()),
        key,
        key,
        fc.constantFrom(undefined, 2, "\t"),
        (given, one, two, indent) => {
          const before = JSON.stringify(given, null, indent);
          const value: typeof given = JSON.parse(before);
          const kept = value[one] !== null && typeof value[one] === "object" && !Array.isArray(value[one]) ? value[one] : {};
          expect(JSON.parse(setJson(before, [one], 7))).toEqual({ ...value, [one]: 7 });
          if (one in value && kept !== value[one]) return;
          expect(JSON.parse(setJson(before, [one, two], 7))).toEqual({ ...value, [one]: { ...kept, [two]: 7 } });
        },
      ),
      { examples: [[{ é: [{ "": -0 }] }, "a", "b", 2]] },
    );
  });
});

test("a diff is one git applies, to the very bytes", () => {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-diff-"));
  undo.push(() => rmSync(directory, { recursive: true }));
  const text = fc
    .array(fc.constantFrom("a\n", "b\n", "c\n", "\n", "d\r\n", "e"), { maxLength: 30 })
    .map((lines) => lines.join(""));
  fc.assert(
    fc.property(fc.option(text), text, (before, after) => {
      fc.pre(before !== after && !(before === null && after === "") && after !== "");
      rmSync(join(directory, "x.txt"), { force: true });
      if (before !== null) writeFileSync(join(directory, "x.txt"), before);
      const input = unifiedDiff({ path: "x.txt", before, after });
      execFileSync("git", ["apply", "--whitespace=nowarn", "-"], { cwd: directory, input, stdio: ["pipe", "ignore", "inherit"] });
      expect(readFileSync(join(directory, "x.txt"), "utf8")).toBe(after);
    }),
    { numRuns: 60, examples: [["a\n".repeat(40), `${"a\n".repeat(9)}b\n${"a\n".repeat(40)}`]] },
  );
});

describe("a plan", () => {
  async function proposed(flags: ProposeFlags, options: TestWorldOptions & { meanwhile?: string } = {}) {
    const world = testWorld(options);
    undo.push(world.remove);
    writeProject(world.cwd, { "a.txt": "one\n", "node_modules/m/index.js": "m" });
    const project = projectAt(world.cwd);
    const draft = new Draft(project);
    draft.edit("a.txt", (text) => `${text}two\n`);
    draft.edit("a.txt", (text) => `${text}three\n`);
    draft.create("deep/b.txt", "b\n");
    if (options.meanwhile) writeFileSync(join(world.cwd, options.meanwhile), "other\n");
    const proposal = { plan: draft.plan, facts: { found: 1 }, headline: "Found.", next: ["go on"] };
    const exit = await propose(await createContext(world, flags), proposal, flags).catch((error: Error) => error.message);
    const now = projectAt(world.cwd);
    return { exit, paths: now.paths, a: now.read("a.txt"), ...world.printed };
  }
  const whole = { paths: ["a.txt", "deep/b.txt"], a: "one\ntwo\nthree\n" };
  const untouched = { paths: ["a.txt"], a: "one\n" };

  test("is written after a yes, or with --yes, and says what comes next", async () => {
    expect(await proposed({}, { answer: "y" })).toMatchObject({
      exit: 0,
      ...whole,
      err: expect.stringContaining("2 files written. Next:\n  go on"),
    });
    expect(await proposed({ yes: true })).toMatchObject({ exit: 0, ...whole, out: expect.stringContaining("+++ b/deep/b.txt") });
    const { out, exit } = await proposed({ yes: true, json: true });
    expect([exit, JSON.parse(out)]).toMatchObject([
      0,
      { found: 1, applied: true, changes: [{ path: "a.txt", action: "change" }, { action: "create" }] },
    ]);
  });

  test("is not written after a no, with --dry-run, or where nobody can be asked", async () => {
    for (const answer of ["", "n", "yo"]) expect(await proposed({}, { answer })).toMatchObject({ exit: 1, ...untouched });
    expect(await proposed({ dryRun: true, yes: true })).toMatchObject({
      exit: 0,
      ...untouched,
      out: expect.stringContaining("+three"),
    });
    expect(await proposed({})).toMatchObject({ exit: expect.stringContaining("Nobody can be asked"), ...untouched });
    expect(await proposed({ json: true }, { answer: "y" })).toMatchObject({
      exit: expect.stringContaining("Nobody"),
      ...untouched,
    });
  });

  test("is not written when a file was changed, or came to be, since it was made", async () => {
    expect(await proposed({ yes: true }, { meanwhile: "a.txt" })).toMatchObject({
      exit: "a.txt was changed meanwhile, so nothing was written.",
      paths: ["a.txt"],
      a: "other\n",
    });
  });
});
