// Room: migrate. Which names in YAML are those of secrets and settings that are kept somewhere else, by another name than the variable's. Called by config.ts.
// Read by indentation, which is all that is needed of YAML for it.

export interface Kept {
  /** From here on in the line, names stay. */
  from: number;
  /** Whether somebody must be told: an app may get these as variables without the name being written anywhere else. */
  told: boolean;
}

const REFERENCE = /\b(?:secretKeyRef|configMapKeyRef)\b/;
/** Of Kubernetes: what apps refer to by key, or get all of as variables. */
const KEEPS = /^kind:\s*["']?(?:Secret|ConfigMap|SealedSecret|ExternalSecret)\b/;

/** For each line that keeps names. */
export function keptInYaml(lines: readonly string[]): (Kept | undefined)[] {
  const stores = linesOfStores(lines);
  const parents: { key: string; column: number }[] = [];
  return lines.map((line, at) => {
    const [head = "", dashes = "", key] = /^(\s*(?:- +)*)["']?([\w.-]+)["']?\s*:(?:\s|$)/.exec(line)?.slice(0, 3) ?? [];
    const column = head ? dashes.length : (/^\s*(?:- +)*/.exec(line)?.[0].length ?? 0);
    if (line.trim() !== "") while ((parents.at(-1)?.column ?? -1) >= column) parents.pop();
    const parent = parents.at(-1)?.key ?? "";
    if (key) parents.push({ key, column });
    if (stores.has(at)) return { from: 0, told: true };
    if (parent === "secrets" || REFERENCE.test(parent)) return { from: 0, told: false };
    const referred = REFERENCE.exec(line);
    return referred ? { from: referred.index, told: false } : undefined;
  });
}

/** Lines of documents that are themselves such a store. */
function linesOfStores(lines: readonly string[]): Set<number> {
  const stores = new Set<number>();
  let document: number[] = [];
  for (const at of [...lines.keys(), lines.length]) {
    if (at === lines.length || /^---(?:\s|$)/.test(lines[at] ?? "")) {
      if (document.some((each) => KEEPS.test(lines[each] ?? ""))) for (const each of document) stores.add(each);
      document = [];
    } else document.push(at);
  }
  return stores;
}
