// Tests: the compiler's word on files somewhere below the repository, in strict mode.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "./processes.ts";

/** Typechecks all files of a folder; what the compiler complains of, "" for nothing. @param options over strict ones for Node's modules */
export async function typeErrors(directory: string, options: object = {}): Promise<string> {
  const compilerOptions = {
    target: "es2022",
    lib: ["es2023", "dom", "dom.iterable"],
    module: "nodenext",
    strict: true,
    noUncheckedIndexedAccess: true,
    noUnusedLocals: true,
    isolatedModules: true,
    skipLibCheck: true,
    noEmit: true,
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
    ...options,
  };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["**/*"] }));
  try {
    await promisify(execFile)(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", directory]);
    return "";
  } catch (error) {
    return String((error as { stdout?: string }).stdout || error);
  }
}
