// Room: dispatch. Which of several definitions of one job counts, where more than one app of an environment has it. Pure. Called by the registry.
import { coerce, compareBuild, parse, type SemVer } from "semver";
import type { KnownJob } from "./registry.ts";

/**
 * Each job once, in its latest version as semantic versions order them: 10.0.0 is later than 9.0.0, and 2.0.0 later than 2.0.0-beta.1. Of equal versions
 * the one registered last counts.
 */
export function latestOfEach(jobs: readonly KnownJob[]): KnownJob[] {
  const latest = new Map<string, KnownJob>();
  for (const job of jobs) {
    const known = latest.get(job.metadata.id);
    if (!known || isLater(job, known)) latest.set(job.metadata.id, job);
  }
  return [...latest.values()];
}

function isLater(a: KnownJob, b: KnownJob): boolean {
  const order = compareVersions(a.metadata.version, b.metadata.version);
  return order > 0 || (order === 0 && (a.app.indexedAt ?? 0) >= (b.app.indexedAt ?? 0));
}

/** Positive if `a` is later. "1.2" is read as 1.2.0; what is no version at all comes before all that are. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [read(a), read(b)];
  if (left && right) return compareBuild(left, right, true);
  if (left || right) return left ? 1 : -1;
  return 0;
}

function read(version: string): SemVer | null {
  return parse(version, { loose: true }) ?? coerce(version);
}
