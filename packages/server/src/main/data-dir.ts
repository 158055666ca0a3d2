// Room: main. The data directory: made if it is missing, for its owner only, and refused in words when it cannot be used. Called by startServer first,
// and by the command line before it keeps anything there.
import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { UserFacingError } from "@holdfast/protocol";

/** @throws UserFacingError BAD_CONFIGURATION */
export function openDataDir(dataDir: string): void {
  try {
    makeDirectory(dataDir);
    accessSync(dataDir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserFacingError(
      "BAD_CONFIGURATION",
      `The data directory ${dataDir} cannot be used: ${why}`,
      "Choose another with --data-dir, or make it writable for this user.",
    );
  }
}

/** Step by step: below /proc, where nothing can be made, Node's own `recursive` tries for ever and cannot even be interrupted. */
function makeDirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error;
  }
}
