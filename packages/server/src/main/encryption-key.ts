// Room: main. The key stored secrets are sealed with: given in production, made once and kept in the data directory in dev.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserFacingError } from "@holdfast/protocol";
import { generateEncryptionKey } from "../platform/secrets.ts";
import type { ServerConfig } from "./config.ts";

export function encryptionKeyOf(config: ServerConfig): string {
  if (config.encryptionKey) return config.encryptionKey;
  if (config.mode === "start") {
    throw new UserFacingError(
      "BAD_CONFIGURATION",
      "HOLDFAST_ENCRYPTION_KEY is not set.",
      "Make one with `openssl rand -base64 32` and keep it.",
    );
  }
  const file = join(config.dataDir, "encryption-key");
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    const key = generateEncryptionKey();
    writeFileSync(file, `${key}\n`, { mode: 0o600 });
    return key;
  }
}
