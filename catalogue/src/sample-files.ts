// Reads the code of a sample from disk. Called by the entries when the catalogue is loaded.
// Promises: in a checkout the text is that of `examples/<entry>/src`, the very files the tests run; in the published package it is the
// copy `copy-samples.mjs` made of them at build.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { SampleFile } from "./manifest.ts";

/** This package's folder: the nearest one above this file that has a package.json (`src` and `dist/src` lie at different depths). */
function packageFolder(from: string): string {
  return existsSync(join(from, "package.json")) ? from : packageFolder(dirname(from));
}

const here = packageFolder(dirname(fileURLToPath(import.meta.url)));

/**
 * The files of an entry's example, in the order given.
 *
 * @example sampleFiles("clerk", ["clerk.ts"]) // [{ name: "clerk.ts", language: "typescript", code: "// …" }]
 */
export function sampleFiles(entry: string, names: string[]): SampleFile[] {
  const original = join(here, "..", "examples", entry, "src");
  const folder = existsSync(original) ? original : join(here, "dist", "samples", entry);
  return names.map((name) => ({ name, language: "typescript", code: readFileSync(join(folder, name), "utf8") }));
}
