// Room: main. The data directory: made if it is missing, for its owner only, and refused in words when it cannot be used. Called by startServer first.
import { accessSync, constants, mkdirSync } from "node:fs";
import { UserFacingError } from "@holdfast/protocol";

/** @throws UserFacingError BAD_CONFIGURATION */
export function openDataDir(dataDir: string): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
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
