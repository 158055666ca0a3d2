// Room: migrate. What deploys an app: YAML, TOML, Dockerfiles, shell, JSON. Variables are renamed if wished; all else is told and left. Called by migrate.ts.
// Promise: comments stay, and so do names of secrets that are kept elsewhere: only the variable they are put into is renamed.
import type { Remark } from "../project/plan.ts";
import { said, tokensOf } from "../project/tokens.ts";
import { migrateScript } from "./scripts.ts";
import { GONE, renamedIn, variablesIn } from "./variables.ts";
import { keptInYaml } from "./yaml.ts";

interface Migrated {
  text: string;
  remarks: Remark[];
}
type Variables = ReadonlyMap<string, string>;

/** Files that are read line by line, and whose comments begin with "#". */
export function migrateLines(path: string, text: string, variables: Variables): Migrated {
  const lines = text.split("\n");
  const kept = /\.ya?ml$/.test(path) ? keptInYaml(lines) : [];
  const remarks: Remark[] = [];
  const after = lines.map((line, at) => {
    const end = commentOf(line, path);
    const code = line.slice(0, end);
    const { from = code.length, told = false } = kept[at] ?? {};
    const stays = told ? variablesIn(code).filter(({ name }) => variables.has(name)) : [];
    const messages = [
      ...stays.map(
        ({ name }) => `${name} stays: it names something kept, which may be given to the app as ${variables.get(name)}`,
      ),
      ...toldOf(code),
    ];
    remarks.push(...messages.map((message) => ({ path, line: at + 1, message })));
    return renamedIn(code, variables, (named) => named.at >= from) + line.slice(end);
  });
  return { text: after.join("\n"), remarks };
}

/** JSON with or without comments: whole strings that name a variable, and what commands in strings do with one. */
export function migrateJson(path: string, text: string, variables: Variables): Migrated {
  const strings = tokensOf(text).filter(({ kind }) => kind === "string");
  const remarks = strings.flatMap((token) => toldOf(token.text).map((message) => ({ path, line: token.line, message })));
  return { text: renamedInJson(text, variables), remarks };
}

export function renamedInJson(text: string, variables: Variables): string {
  const strings = tokensOf(text).filter(({ kind }) => kind === "string");
  return strings.reverse().reduce((now, token) => {
    const words = said(token) ?? token.text.slice(1, -1);
    const renamed = variables.get(words) ?? renamedIn(words, variables);
    return now.slice(0, token.start + 1) + renamed + now.slice(token.start + token.text.length - 1);
  }, text);
}

/** Quoted texts, whose "#" is none; an apostrophe in a word quotes nothing. Then what a comment begins with. */
const WORDS = /(?<![^\s[{(,:=])(?:"(?:[^"\\]|\\.)*"|'[^']*')|(?<!\S)#.*/g;

/** Where the comment of a line begins; its end, if there is none. */
function commentOf(line: string, path: string): number {
  if (/(?:^|\/)(?:Docker|Container)file|\.dockerfile$/.test(path)) return /^\s*#/.test(line) ? 0 : line.length;
  for (const { 0: word, index } of line.matchAll(WORDS)) if (word.startsWith("#")) return index;
  return line.length;
}

const IMAGE = /\b(?:[\w.-]+\/)*triggerdotdev\/[\w./-]+(?::[\w.-]+)?/;

function toldOf(code: string): string[] {
  if (!code.includes("trigger")) return [];
  const [image] = IMAGE.exec(code) ?? [];
  const [gone] = GONE.exec(code) ?? [];
  const [named] = /@trigger\.dev\/(?!cli)\w*(?!.*npm:@holdfast)/.exec(code) ?? [];
  const script = migrateScript(code);
  const ours = script.text !== code;
  return [
    ...(image ? [`the image ${image} is v2's own server: in its place stands \`holdfast start\``] : []),
    ...(gone ? [`${gone} was shut down: put the address of your server here`] : []),
    ...(named ? [`names ${named}, and is of a kind that is left to you`] : []),
    ...(ours || script.left.length > 0
      ? ["calls v2's CLI: here it is `holdfast dev --app-url` and `holdfast send` (docs/cli.md)"]
      : []),
  ];
}
