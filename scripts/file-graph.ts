// Which source files are reached by something: imported, named in a package's exports or bin, or loaded by a page. For tidy.ts.
import { posix } from "node:path";
import { importsOf, scan } from "./scan.ts";

type Files = ReadonlyMap<string, string>;

const CODE = /\.(?:ts|tsx|mjs|js)$/;
const known = new WeakMap<Files, Set<string>>();

// Workers and child programs are started by path, so path-like strings count as imports here.
function referencesOf(path: string, text: string): string[] {
  const strings = [...text.matchAll(/"(\.{1,2}\/[^"\n]+\.(?:ts|tsx|mjs|js))"/g)].map((match) => match[1] ?? "");
  return [...importsOf(scan(text)), ...strings].map((to) => posix.join(posix.dirname(path), to).replace(/\.js$/, ".ts"));
}

/** Every file some other file imports or names. */
export function importedFiles(files: Files): Set<string> {
  const found = known.get(files);
  if (found) return found;
  const set = new Set([...files].filter(([path]) => CODE.test(path)).flatMap(([path, text]) => referencesOf(path, text)));
  known.set(files, set);
  return set;
}

/** True for a file its package is entered by. */
export function isEntry(path: string, owner: string, files: Files): boolean {
  const inside = path.slice(owner.length + 1);
  const built = inside.replace(/^src\//, "dist/").replace(/\.tsx?$/, ".js");
  const starters = [...files].filter(
    ([other]) => other.startsWith(`${owner}/`) && /\/(?:package\.json|bin\/[^/]+\.js|[^/]+\.html)$/.test(other),
  );
  return (
    starters.some(([, text]) => text.includes(`/${built}"`) || text.includes(`/${inside}"`)) ||
    /\.d\.ts$|\.conformance\.ts$/.test(path)
  );
}
