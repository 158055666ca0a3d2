// docs/migrate-from-v2.md points to the tests that show what it says: each of them is there, under that name.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ROOT } from "./harness/processes.ts";

const page = readFileSync(join(ROOT, "docs/migrate-from-v2.md"), "utf8");
const links = [...page.matchAll(/\[([^\]]+)\]\(\.\.\/([^)]+\.test\.ts)\)/g)].map(([, title = "", file = ""]) => ({
  title,
  file,
}));

test("every test it names exists", () => {
  expect(links.length).toBeGreaterThan(50);
  const missing = links.filter(({ title, file }) => !readFileSync(join(ROOT, file), "utf8").includes(JSON.stringify(title)));
  expect(missing).toEqual([]);
});

test("every row has something in both columns", () => {
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| **") && !line.startsWith("| feature"));
  const cells = rows.map((row) => row.split(" | ").map((cell) => cell.replace(/^\||\|$/g, "").trim()));
  expect(cells.filter((row) => row.length !== 3 || row.some((cell) => cell === ""))).toEqual([]);
  expect(rows.length).toBeGreaterThan(60);
  const features = cells.map(([feature = ""]) => feature);
  expect(
    features.filter((feature, at) => features.indexOf(feature) !== at && feature !== "`getAuth`"),
    "told twice",
  ).toEqual([]);
});
