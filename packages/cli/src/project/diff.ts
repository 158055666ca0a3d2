// Room: project. Changes as a unified diff, which `git apply` and `patch` take. Called by propose.ts.
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";
import type { Change } from "./plan.ts";

const CONTEXT = 3;

/** One file's change. */
export function unifiedDiff({ path, before, after }: Change): string {
  const from = before === null ? "/dev/null" : `a/${path}`;
  return createTwoFilesPatch(from, `b/${path}`, before ?? "", after, undefined, undefined, {
    context: CONTEXT,
    headerOptions: FILE_HEADERS_ONLY,
  });
}
