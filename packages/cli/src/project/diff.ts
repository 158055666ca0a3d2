// Room: project. Changes as a unified diff, which `git apply` and `patch` take. Called by propose.ts.
// The shortest edit script is found by Myers' algorithm (1986): its cost grows with the difference, not with the files.
import type { Change } from "./plan.ts";

const CONTEXT = 3;

type Op = " " | "-" | "+";
interface Line {
  op: Op;
  text: string;
}

/** One file's change; lines end with their newline, or with the remark that there is none. */
export function unifiedDiff({ path, before, after }: Change): string {
  const lines = editScript(linesOf(before ?? ""), linesOf(after));
  const from = before === null ? "/dev/null" : `a/${path}`;
  return `--- ${from}\n+++ b/${path}\n${hunksOf(lines).join("")}`;
}

/** Lines with their line ends. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

function hunksOf(lines: Line[]): string[] {
  const near = new Set<number>();
  lines.forEach((line, at) => {
    if (line.op !== " ") for (let i = at - CONTEXT; i <= at + CONTEXT; i++) near.add(i);
  });
  const hunks: string[] = [];
  let [old, fresh, at] = [0, 0, 0];
  while (at < lines.length) {
    const start = at;
    while (at < lines.length && near.has(at)) at++;
    const hunk = lines.slice(start, at);
    const [gone, come] = [hunk.filter(({ op }) => op !== "+").length, hunk.filter(({ op }) => op !== "-").length];
    if (hunk.length) hunks.push(`@@ -${range(old, gone)} +${range(fresh, come)} @@\n${hunk.map(shown).join("")}`);
    [old, fresh] = [old + gone, fresh + come];
    for (; at < lines.length && !near.has(at); at++) [old, fresh] = [old + 1, fresh + 1];
  }
  return hunks;
}

/** An empty range names the line before it. */
const range = (before: number, count: number): string => (count === 0 ? `${before},0` : `${before + 1},${count}`);
const shown = ({ op, text }: Line): string => op + (text.endsWith("\n") ? text : `${text}\n\\ No newline at end of file\n`);

function editScript(old: string[], fresh: string[]): Line[] {
  const script: Line[] = [];
  let [x, y] = [old.length, fresh.length];
  for (const furthest of rounds(old, fresh).reverse()) {
    const k = x - y;
    const down = furthest.d > 0 && (k === -furthest.d || (k !== furthest.d && furthest.at(k - 1) < furthest.at(k + 1)));
    const startX = furthest.d === 0 ? 0 : down ? furthest.at(k + 1) : furthest.at(k - 1) + 1;
    while (x > startX) script.push({ op: " ", text: old[--x] ?? "" }) && y--;
    if (furthest.d === 0) break;
    if (down) script.push({ op: "+", text: fresh[--y] ?? "" });
    else script.push({ op: "-", text: old[--x] ?? "" });
  }
  return script.reverse();
}

interface Round {
  d: number;
  /** How far along the old lines a script of d - 1 edits gets on diagonal k. */
  at(k: number): number;
}

/** What each round of the search began with, the last one being the one that reached the end. */
function rounds(old: string[], fresh: string[]): Round[] {
  let reach = new Map<number, number>([[1, 0]]);
  const made: Round[] = [];
  for (let d = 0; ; d++) {
    const before = reach;
    made.push({ d, at: (k) => before.get(k) ?? -1 });
    reach = new Map(before);
    for (let k = -d; k <= d; k += 2) {
      const [left, right] = [before.get(k - 1) ?? -1, before.get(k + 1) ?? -1];
      let x = k === -d || (k !== d && left < right) ? right : left + 1;
      while (x < old.length && x - k < fresh.length && old[x] === fresh[x - k]) x++;
      reach.set(k, x);
      if (x >= old.length && x - k >= fresh.length) return made;
    }
  }
}
