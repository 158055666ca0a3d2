// Room: dispatch. Versions of one job in several apps: which one runs.
import { expect, it } from "vitest";
import { compareVersions, latestOfEach } from "./job-version.ts";
import type { KnownJob } from "./registry.ts";

const job = (id: string, version: string, indexedAt = 0) =>
  ({ app: { slug: version, indexedAt }, metadata: { id, version } }) as unknown as KnownJob;
const versions = (jobs: KnownJob[]) => latestOfEach(jobs).map(({ metadata }) => `${metadata.id}@${metadata.version}`);

it("takes each job in its latest version, whichever app came last", () => {
  expect(versions([job("a", "10.0.0"), job("a", "9.0.0", 5), job("b", "1.0.0")])).toEqual(["a@10.0.0", "b@1.0.0"]);
  expect(versions([job("a", "2.0.0-beta.1", 5), job("a", "2.0.0")])).toEqual(["a@2.0.0"]);
});

it("takes the one registered last where the versions are equal", () => {
  const [same] = latestOfEach([job("a", "1.0.0", 7), job("a", "1.0", 9), job("a", "v1.0.0", 8)]);
  expect(same?.app.indexedAt).toBe(9);
});

it.each([
  ["1.10.0", "1.9.0", 1],
  ["0.0.1", "1", -1],
  ["1.2", "1.2.0", 0],
  ["1.0.0+2", "1.0.0+1", 1],
  ["nightly", "0.0.1", -1],
  ["nightly", "weekly", 0],
  ["v3", "2.9.9", 1],
])("orders %s and %s", (a, b, order) => expect(Math.sign(compareVersions(a, b))).toBe(order));
