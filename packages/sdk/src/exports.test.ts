// Compilers that overlook `exports` ("moduleResolution": "node", which most v2 apps have) find the same types by `types` and `typesVersions`.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Manifest {
  types: string;
  typesVersions: { "*": Record<string, string[]> };
  exports: Record<string, { types: string }>;
}

test("every subpath has its types under typesVersions, too", () => {
  const manifest: Manifest = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const { ".": root, ...subpaths } = manifest.exports;
  expect(manifest.types).toBe(root?.types);
  const listed = Object.entries(subpaths).map(([subpath, { types }]) => [subpath.slice(2), [types]]);
  expect(manifest.typesVersions["*"]).toEqual(Object.fromEntries(listed));
});
