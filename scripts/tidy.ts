// The project's own rules, as far as a program can check them: who may import whom, what only the platform may touch, sizes, names, links.
// Run by `npm run check` and by tidy.test.ts. Prints one line a problem. Exemptions stand in tidy-exemptions.json, which may only shrink.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, posix } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { importedFiles, isEntry } from "./file-graph.ts";
import { functionsOf, importsOf, type Scanned, scan } from "./scan.ts";

export interface Problem {
  rule: string;
  path: string;
  message: string;
}
export type Files = ReadonlyMap<string, string>;
/** Path → rules it need not follow. */
export type Exemptions = Readonly<Record<string, readonly string[]>>;
type Rule = (path: string, source: Scanned, files: Files) => string[];

// A room may import only from lines below its own.
const LADDER = [
  ["main"],
  ["http"],
  ["worker"],
  ["execute", "deliver"],
  ["ingest", "schedule", "connections"],
  ["dispatch", "tasks"],
  ["runs"],
  ["views"],
  ["store"],
  ["platform"],
];
const PACKAGES: Record<string, readonly string[]> = {
  "packages/protocol": [],
  "packages/engine": ["@holdfast/protocol"],
  "packages/server": ["@holdfast/protocol", "@holdfast/engine", "@holdfast/catalogue"],
  "packages/sdk": ["@holdfast/protocol"],
  "packages/dashboard": ["@holdfast/protocol"],
  "packages/cli": ["@holdfast/protocol", "@holdfast/server", "@holdfast/catalogue"],
  catalogue: ["@holdfast/sdk", "@holdfast/protocol"],
};
const BANS: readonly (readonly [RegExp, string])[] = [
  [/\bDate\.now\b/, "world.now()"],
  [/\bnew Date\(\s*\)/, "new Date(world.now())"],
  [/\bMath\.random\b/, "world.random(bytes), or a seeded number passed in"],
  [/\brandomUUID\b/, "world.newId(kind)"],
  [/\b(?:setTimeout|setInterval)\b/, "world.after(ms, fn) or sleep(world, ms)"],
  [/\bprocess\.env\b/, "a parameter that main fills"],
  [/\bconsole\./, "world.log"],
];
const PURE = /^packages\/(?:protocol|engine)\/src\/|^packages\/server\/src\/(?!platform\/|main\/)/;
const BANNED_NAME = /^(?:utils?|helpers?|libs?|common|managers?|services?|misc|shared)(?:\.|$)/i;
const CODE = /\.(?:ts|tsx|mjs|js)$/;
const TEST = /\.(?:test|conformance)\.[a-z]+$/;
const LIMITS = { file: 400, function: 60, parameters: 4, readme: 90 };

const packageOf = (path: string): string | undefined => Object.keys(PACKAGES).find((name) => path.startsWith(`${name}/`));
const roomOf = (path: string): string | undefined => /^packages\/server\/src\/([a-z]+)\//.exec(path)?.[1];
const rungOf = (room: string): number => LADDER.findIndex((line) => line.includes(room));
const inSource = (path: string): boolean => /^(?:packages\/[a-z]+|catalogue)\/src\//.test(path);
const resolved = (from: string, specifier: string): string => posix.join(posix.dirname(from), specifier);

const ladder: Rule = (path, source) => {
  const room = roomOf(path);
  if (!room || TEST.test(path)) return [];
  if (rungOf(room) === -1) return [`"${room}" is no room of the server: ${LADDER.flat().join(" ")}`];
  const others = importsOf(source).map((specifier) =>
    specifier.startsWith(".") ? roomOf(resolved(path, specifier)) : undefined,
  );
  return others
    .filter((other): other is string => other !== undefined && other !== room && rungOf(other) <= rungOf(room))
    .map((other) => `room ${room} must not import from room ${other}, which does not lie below it`);
};

const packages: Rule = (path, source) => {
  const own = packageOf(path);
  if (!own || TEST.test(path) || !CODE.test(path)) return [];
  const escaped = (specifier: string): boolean => specifier.startsWith(".") && packageOf(resolved(path, specifier)) !== own;
  const foreign = (name: string): boolean => /^(?:@holdfast\/|holdfast$)/.test(name) && !PACKAGES[own]?.includes(name);
  return importsOf(source)
    .filter((specifier) => escaped(specifier) || foreign(specifier))
    .map((specifier) => `${own} must not import ${specifier}`);
};

const bans: Rule = (path, { bare }) => {
  if (!PURE.test(path) || TEST.test(path) || !CODE.test(path)) return [];
  const lines = bare.split("\n");
  return BANS.flatMap(([pattern, instead]) =>
    lines.flatMap((line, i) =>
      pattern.test(line) ? [`line ${i + 1}: ${pattern.exec(line)?.[0]} is for platform and main; take ${instead}`] : [],
    ),
  );
};

const sizes: Rule = (path, source) => {
  if (!CODE.test(path)) return [];
  const lines = source.text.trimEnd().split("\n").length;
  const long = lines > LIMITS.file ? [`${lines} lines; a file has at most ${LIMITS.file}`] : [];
  if (TEST.test(path)) return long;
  const functions = functionsOf(source).flatMap(({ line, lines: length, parameters }) => [
    ...(length > LIMITS.function ? [`line ${line}: a function of ${length} lines; at most ${LIMITS.function}`] : []),
    ...(parameters > LIMITS.parameters ? [`line ${line}: ${parameters} parameters; at most ${LIMITS.parameters}`] : []),
  ]);
  return [...long, ...functions];
};

const header: Rule = (path, { text }) => {
  if (!inSource(path) || !CODE.test(path) || TEST.test(path)) return [];
  return /^(?:#!.*\n)?\/[/*]/.test(text) ? [] : ["starts without the comment that says what it is for and who calls it"];
};

const names: Rule = (path) => {
  const banned = path.split("/").find((part) => BANNED_NAME.test(part));
  return banned && CODE.test(path) ? [`"${banned}" says nothing: name it by what it does`] : [];
};

const orphans: Rule = (path, _source, files) => {
  if (!inSource(path) || !CODE.test(path) || TEST.test(path)) return [];
  return importedFiles(files).has(path) || isEntry(path, packageOf(path) ?? "", files) ? [] : ["is imported by nothing"];
};

const links: Rule = (path, { text }, files) => {
  if (!path.endsWith(".md")) return [];
  const prose = text.replace(/```[\s\S]*?```/g, "");
  const targets = [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? "")
    .filter((to) => !/^(?:[a-z]+:|#)/.test(to));
  const known = (target: string): boolean => [...files.keys()].some((file) => file === target || file.startsWith(`${target}/`));
  return targets
    .filter((to) => !known(resolved(path, to.replace(/#.*$/, "")).replace(/\/$/, "")))
    .map((to) => `links to ${to}, which does not exist`);
};

const readme: Rule = (path, { text }) => {
  const lines = text.trimEnd().split("\n").length;
  return path === "README.md" && lines > LIMITS.readme ? [`${lines} lines; at most ${LIMITS.readme}`] : [];
};

const machine: Rule = (path, { text }) => {
  const here = [`${projectRoot}/`, ...(homedir().length > 1 ? [`${homedir()}/`] : [])];
  const found = [
    ...here.filter((place) => text.includes(place)),
    ...(/\/(?:home|Users)\/(?!you\b)[a-z][\w-]*\//.exec(text) ?? []),
  ];
  const registry = path.endsWith("package-lock.json")
    ? /"resolved": "https?:\/\/(?!registry\.npmjs\.org)[^/"]+/.exec(text)
    : null;
  return [...found, ...(registry ?? [])].map((what) => `names a place on one machine: ${what}`);
};

const RULES: Record<string, Rule> = { ladder, packages, bans, sizes, header, names, orphans, links, readme, machine };
const projectRoot = join(dirname(fileURLToPath(import.meta.url)), "..");

/** Checks a tree. An exemption that is no longer needed is a problem too. */
export function tidy(files: Files, exemptions: Exemptions = {}): Problem[] {
  const all = [...files].flatMap(([path, text]) => {
    const source = CODE.test(path) ? scan(text) : { text, uncommented: text, bare: text };
    return Object.entries(RULES).flatMap(([rule, check]) =>
      check(path, source, files).map((message) => ({ rule, path, message })),
    );
  });
  const isExempt = (problem: Problem): boolean => exemptions[problem.path]?.includes(problem.rule) ?? false;
  const needless = Object.entries(exemptions).flatMap(([path, rules]) =>
    rules
      .filter((rule) => !all.some((problem) => problem.path === path && problem.rule === rule))
      .map((rule) => ({ rule: "exemptions", path, message: `needs no exemption from "${rule}" any more: take it off the list` })),
  );
  return [...all.filter((problem) => !isExempt(problem)), ...needless];
}

/** All files git knows or would add; those that are no text come with no content. */
export function projectFiles(): Files {
  const list = execFileSync("git", ["-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard"], {
    cwd: projectRoot,
    encoding: "utf8",
  });
  const isText = (path: string): boolean => /\.(?:ts|tsx|mjs|js|json|md|sql|css|html|yml|yaml)$|^\.ci\/run$/.test(path);
  const paths = list.split("\n").filter((path) => path !== "" && existsSync(join(projectRoot, path)));
  return new Map(paths.map((path) => [path, isText(path) ? readFileSync(join(projectRoot, path), "utf8") : ""]));
}

/** The exemptions on record. */
export const exemptions: Exemptions = JSON.parse(readFileSync(new URL("./tidy-exemptions.json", import.meta.url), "utf8"));

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const problems = tidy(projectFiles(), exemptions);
  for (const { rule, path, message } of problems) process.stdout.write(`${path}: ${message} [${rule}]\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
