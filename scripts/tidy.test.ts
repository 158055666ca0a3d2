// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the samples here are source code.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { functionsOf, importsOf, scan } from "./scan.ts";
import { exemptions, projectFiles, tidy } from "./tidy.ts";

const HEAD = "// A file for a test.\n";
const ENTRY: readonly [string, string][] = [["packages/server/package.json", '{ "main": "./dist/main/index.js" }']];
const MAX_EXEMPTIONS = 0;

// Files that are not the subject: an entry that imports the subject, so that it is no orphan.
function problemsOf(path: string, text: string, others: Record<string, string> = {}): string[] {
  const importer = `${HEAD}import "../${path.replace("packages/server/src/", "")}";`;
  const files = new Map([
    ...ENTRY,
    ["packages/server/src/main/index.ts", importer],
    ...Object.entries(others),
    [path, HEAD + text],
  ]);
  return tidy(files)
    .filter((problem) => problem.path === path)
    .map(({ rule, message }) => `${rule}: ${message}`);
}

describe("the project", () => {
  it("is tidy", () => {
    expect(tidy(projectFiles(), exemptions)).toEqual([]);
  });

  it("has a list of exemptions that only shrinks", () => {
    expect(Object.values(exemptions).flat().length).toBeLessThanOrEqual(MAX_EXEMPTIONS);
  });
});

describe("the ladder of rooms", () => {
  const importing = (room: string, specifier: string): string[] =>
    problemsOf(`packages/server/src/${room}/x.ts`, `import "${specifier}";`);

  it("lets a room import from those below it and from itself", () => {
    expect(importing("http", "../store/store.ts")).toEqual([]);
    expect(importing("execute", "../runs/change.ts")).toEqual([]);
    expect(importing("runs", "./y.ts")).toEqual([]);
  });

  it("refuses imports upwards, sideways, and of types too", () => {
    expect(importing("store", "../runs/change.ts")).toEqual([
      expect.stringContaining("ladder: room store must not import from room runs"),
    ]);
    expect(importing("execute", "../deliver/x.ts")).toEqual([expect.stringContaining("ladder:")]);
    expect(importing("tasks", "../dispatch/x.ts")).toEqual([expect.stringContaining("ladder:")]);
    const typeOnly = problemsOf("packages/server/src/platform/x.ts", 'import type { A } from "../main/index.ts";');
    expect(typeOnly).toEqual([expect.stringContaining("ladder:")]);
    expect(problemsOf("packages/server/src/cellar/x.ts", "")).toEqual([expect.stringContaining("is no room")]);
  });
});

describe("packages", () => {
  it("import each other only as the table says", () => {
    expect(problemsOf("packages/server/src/http/x.ts", 'import { a } from "@holdfast/engine";')).toEqual([]);
    expect(problemsOf("packages/server/src/http/x.ts", 'import { a } from "@holdfast/sdk";')).toEqual([
      expect.stringContaining("packages:"),
    ]);
    expect(problemsOf("packages/engine/src/index.ts", 'import "../../protocol/src/index.ts";').join()).toContain("packages:");
    expect(problemsOf("packages/cli/src/index.ts", 'import "@holdfast/server/insides";').join()).toContain("packages:");
    expect(problemsOf("packages/server/src/http/x.ts", 'const shown = `import { a } from "@holdfast/sdk"`;')).toEqual([]);
  });
});

describe("bans", () => {
  it.each([
    "Date.now()",
    "new Date()",
    "Math.random()",
    "crypto.randomUUID()",
    "setTimeout(f, 1)",
    "process.env.HOME",
    "console.log(1)",
  ])("refuse %s outside platform and main, and name what to take", (code) => {
    expect(problemsOf("packages/server/src/runs/x.ts", `const a = ${code};`)).toEqual([
      expect.stringMatching(/^bans: line 2: .+; take /),
    ]);
    expect(problemsOf("packages/engine/src/index.ts", `const a = ${code};`).join()).toContain("bans:");
    expect(problemsOf("packages/server/src/platform/x.ts", `const a = ${code};`)).toEqual([]);
    expect(problemsOf("packages/server/src/runs/x.ts", `const a = "${code}"; // ${code}`)).toEqual([]);
    expect(problemsOf("packages/server/src/runs/x.test.ts", `const a = ${code};`)).toEqual([]);
  });

  it("see code inside a template", () => {
    expect(problemsOf("packages/server/src/runs/x.ts", "const a = `${`${Date.now()}`} Date.now()`;")).toHaveLength(1);
    expect(problemsOf("packages/server/src/runs/x.ts", "const a = `${1} Date.now()`;")).toEqual([]);
  });
});

describe("sizes, names, headers and orphans", () => {
  const path = "packages/server/src/runs/x.ts";

  it("bound files, functions and parameters", () => {
    expect(problemsOf(path, "a();\n".repeat(400))).toEqual([expect.stringContaining("401 lines")]);
    expect(problemsOf(path, `function f(): Promise<{ a: string }> {\n${"a();\n".repeat(60)}}`)).toEqual([
      expect.stringContaining("62 lines"),
    ]);
    expect(problemsOf(path, `const f = (a) => {\n${"a();\n".repeat(58)}}`)).toEqual([]);
    expect(problemsOf(path, "class A { m(a, { b, c }, d: Map<string, number>, e = [1, 2], f) {} }")).toEqual([
      expect.stringContaining("5 parameters"),
    ]);
    expect(problemsOf(path, "function f(a: (x: 1, y: 2) => void, b, c, d,) {}")).toEqual([]);
  });

  it("refuse names that say nothing, files without a word on what they are, and files nothing imports", () => {
    expect(problemsOf("packages/server/src/runs/utils/x.ts", "")).toEqual([expect.stringContaining('names: "utils"')]);
    expect(problemsOf("packages/server/src/runs/helpers.ts", "")).toEqual([expect.stringContaining('names: "helpers.ts"')]);
    expect(tidy(new Map([[path, "a();"]])).map(({ rule }) => rule)).toEqual(["header", "orphans"]);
    expect(
      tidy(
        new Map([
          ["packages/sdk/package.json", '"./dist/adapters/a.js"'],
          ["packages/sdk/src/adapters/a.ts", HEAD],
        ]),
      ),
    ).toEqual([]);
  });
});

describe("documents", () => {
  it("have no dead links, a short README, and no place of one machine", () => {
    expect(
      problemsOf("docs/a.md", "[b](b.md#part) [c](https://c.example) [d](../README.md) [e](#e)", { "README.md": "" }),
    ).toEqual(["links: links to b.md#part, which does not exist"]);
    expect(problemsOf("README.md", "line\n".repeat(90))).toEqual([expect.stringContaining("readme: 91 lines")]);
    const home = join("/", "home", "somebody", "project");
    expect(problemsOf("docs/a.md", `See ${home}.`)).toEqual([expect.stringContaining("machine:")]);
  });
});

describe("exemptions", () => {
  it("silence a rule for a file, and are a problem once needless", () => {
    const files = new Map([...ENTRY, ["packages/server/src/main/index.ts", "a();"] as const]);
    const exempt = (rules: string[]) => tidy(files, { "packages/server/src/main/index.ts": rules }).map(({ rule }) => rule);
    expect(exempt([])).toEqual(["header"]);
    expect(exempt(["header"])).toEqual([]);
    expect(exempt(["header", "sizes"])).toEqual(["exemptions"]);
  });
});

describe("scan", () => {
  it("tells regular expressions, divisions, strings, templates and comments apart", () => {
    const { bare } = scan('const a = /["\'`{]\\/[/]/g.test(b) ? c / d / e : "}"; // {\n/* { */ f(`{${g({})}{`);');
    expect(bare.match(/[{}]/g)).toEqual(["{", "}"]);
    expect(bare).toContain("c / d / e");
    expect(bare.split("\n")).toHaveLength(2);
    const jsx = "const a = <A b={<B>{c}</B>} /> ; const d = <E f={g} />;";
    expect(scan(jsx).bare).toBe(jsx);
  });

  it("finds imports of every form", () => {
    const text =
      'import a from "a";\nimport "b";\nexport * from "c";\nconst d = await import("d");\nimport {\n  x,\n} from "e";\n// import "f"\n';
    expect(importsOf(scan(text))).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("measures functions, not control flow, calls or types", () => {
    const text =
      'function a(x): "p" | "q" {\n}\nif (b) {\n}\nfoo(c, d, e, f, g);\ntype T = { m(a: 1): void };\nconst h = async (i) => {\n  j();\n};\n';
    expect(functionsOf(scan(text)).map(({ line, lines, parameters }) => [line, lines, parameters])).toEqual([
      [1, 2, 1],
      [7, 3, 1],
    ]);
  });
});
