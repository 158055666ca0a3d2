// Room: main. Keys given for the first boot: they must be ones that programs can send, and a later boot says when they are not the server's.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { hashKey, type Vault } from "../platform/secrets.ts";
import { realWorld } from "../platform/world.ts";
import { createMemoryStore } from "../store/memory/memory-store.ts";
import type { ServerConfig } from "./config.ts";
import { ensureEnvironments } from "./environments.ts";
import { startServer } from "./start.ts";

const vault: Vault = { keyId: "none", seal: (plain) => plain, open: (sealed) => sealed };
const config = (keys: Partial<ServerConfig>): ServerConfig => ({
  mode: "dev",
  host: "127.0.0.1",
  port: 0,
  dataDir: "x",
  ...keys,
});

describe("keys given for the first boot", () => {
  it.each([
    [{ devApiKey: "weak" }, "HOLDFAST_DEV_API_KEY"],
    [{ prodApiKey: "pk_prod_0123456789" }, "HOLDFAST_PROD_API_KEY"],
    [{ prodApiKey: "tr_" }, "HOLDFAST_PROD_API_KEY"],
    [{ devApiKey: "tr_dev_a b" }, "HOLDFAST_DEV_API_KEY"],
    [{ devApiKey: "tr_dev_schlüssel" }, "HOLDFAST_DEV_API_KEY"],
    [{ devApiKey: "tr_dev_same", prodApiKey: "tr_dev_same" }, "HOLDFAST_PROD_API_KEY"],
  ])("that no program could use are refused before anything is made: %o", async (keys, name) => {
    const dataDir = mkdtempSync(join(tmpdir(), "hf-keys-"));
    onTestFinished(() => rmSync(dataDir, { recursive: true }));
    const refused = startServer({ ...config(keys), dataDir, logLevel: "error" });
    await expect(refused).rejects.toMatchObject({ code: "BAD_CONFIGURATION", message: expect.stringContaining(name) });
    expect(existsSync(join(dataDir, "postgres"))).toBe(false);
  });

  it("are taken without what a file's end adds, and a later boot says that others count no more", async () => {
    const lines: string[] = [];
    const world = realWorld({ log: { write: (line) => lines.push(line) } });
    const { catalog } = createMemoryStore().store;
    const first = await ensureEnvironments(config({ devApiKey: "tr_dev_given\n" }), catalog, vault, world);
    expect(first.dev).toBe("tr_dev_given");
    const hashes = (await catalog.environments()).map(({ secretKeyHash }) => secretKeyHash);
    expect(hashes).toContain(hashKey("tr_dev_given"));
    const again = await ensureEnvironments(config({ devApiKey: "tr_dev_given" }), catalog, vault, world);
    expect([again, lines]).toEqual([first, []]);
    expect(await ensureEnvironments(config({ devApiKey: "tr_dev_other" }), catalog, vault, world)).toEqual(first);
    expect(lines).toEqual([expect.stringContaining("HOLDFAST_DEV_API_KEY")]);
    expect(lines[0]).not.toContain("tr_dev_");
  });

  it.each(["tr_dev_3f-9a", "tr_secret"])("that only SDKs refuse are taken, with a warning: %s", async (devApiKey) => {
    const lines: string[] = [];
    const world = realWorld({ log: { write: (line) => lines.push(line) } });
    const { catalog } = createMemoryStore().store;
    expect((await ensureEnvironments(config({ devApiKey }), catalog, vault, world)).dev).toBe(devApiKey);
    expect(lines).toEqual([expect.stringMatching(/HOLDFAST_DEV_API_KEY .*SDKs refuse/)]);
  });
});

it("several servers that boot for the first time in one moment have the same keys", async () => {
  const world = realWorld({ log: { write: () => {} } });
  const { catalog } = createMemoryStore().store;
  const boots = await Promise.all([1, 2, 3].map(() => ensureEnvironments(config({}), catalog, vault, world)));
  expect(new Set(boots.map(({ dev, prod }) => `${dev} ${prod}`)).size).toBe(1);
  expect((await catalog.environments()).map(({ slug }) => slug).sort()).toEqual(["dev", "prod"]);
});
