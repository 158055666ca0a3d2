// A server's identity: the next one on the directory learns whose leases nobody holds, and never takes those of one that lives.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { realWorld } from "../platform/world.ts";
import { takeIdentity } from "./identity.ts";

const dataDir = mkdtempSync(join(tmpdir(), "hf-identity-"));
const world = realWorld({ log: { write: () => undefined } });
afterAll(async () => {
  await world.close();
  rmSync(dataDir, { recursive: true });
});

test("the one before is a predecessor only once it is gone", () => {
  const first = takeIdentity(dataDir, world);
  expect(first.predecessor).toBeNull();
  const beside = takeIdentity(dataDir, world);
  expect(beside.predecessor, "two servers on one database may share a directory").toBeNull();
  expect(beside.owner).not.toBe(first.owner);
  beside.release();
  first.release();
  const next = takeIdentity(dataDir, world);
  expect(next.predecessor).toBe(first.owner);
  next.release();
});
