// Copies the example files the catalogue shows into dist/samples, so that the published package holds them.
// Called by scripts/build.mjs after `tsc`. Which files: those the entries name, so a sample cannot be shown and forgotten here.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "./dist/src/index.js";

const target = join(import.meta.dirname, "dist", "samples");
rmSync(target, { recursive: true, force: true });
for (const entry of catalogue) {
  mkdirSync(join(target, entry.id), { recursive: true });
  for (const file of entry.samples.flatMap((sample) => sample.files)) writeFileSync(join(target, entry.id, file.name), file.code);
}
