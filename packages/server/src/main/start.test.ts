// Starts that cannot succeed: each says what is wrong in words a person can act on, never as a bug of ours, and never repeats a password.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { listen } from "../http/listen.ts";
import { silentLogger } from "../platform/log.ts";
import { openDatabase } from "./database.ts";
import { inspectDatabase } from "./inspect.ts";
import { startServer } from "./start.ts";

const dataDir = mkdtempSync(join(tmpdir(), "hf-start-"));
afterAll(() => rmSync(dataDir, { recursive: true }));
const start = (databaseUrl: string) =>
  startServer({ mode: "dev", host: "127.0.0.1", port: 0, dataDir, databaseUrl, logLevel: "error" });

/** A port nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

test("a data directory that cannot be used is named", async () => {
  const file = join(dataDir, "a-file");
  writeFileSync(file, "");
  // Below /proc nothing can be made; a try of Node's own never ends.
  const impossible = existsSync("/proc/self") ? ["/proc/holdfast/data"] : [];
  for (const path of [file, join(file, "below"), ...impossible]) {
    const refused = startServer({ mode: "dev", host: "127.0.0.1", port: 0, dataDir: path });
    const named = { code: "BAD_CONFIGURATION", message: expect.stringContaining(path) };
    await expect(refused).rejects.toMatchObject(named);
    await expect(inspectDatabase({ dataDir: path })).rejects.toMatchObject(named);
  }
});

test.each(["192.0.2.1", "no-such-host.invalid"])("a host that is none of this machine's is no bug: %s", async (host) => {
  const refused = listen(() => new Response(), { host, port: 0 });
  await expect(refused).rejects.toMatchObject({ code: "BAD_CONFIGURATION", message: expect.stringContaining(host) });
});

describe("a database URL", () => {
  test.each(["mysql://user:secret@127.0.0.1/x", "127.0.0.1:5432", "postgres://user:se%cret@h:notaport/x"])(
    "that is none is refused without a try: %s",
    async (url) => {
      const refused = await start(url).catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: "BAD_CONFIGURATION", hint: expect.stringContaining("postgres://") });
      expect(String(refused)).not.toMatch(/se%?cret/);
    },
  );

  test.each([
    "postgres://user:pw@db.example:5432/x?sslmode=verify-full",
    "postgresql:///x?host=/run/postgresql",
    "postgres://user:pw@/x?host=/run/postgresql",
    "/run/postgresql x",
  ])("in any form the driver reads is taken: %s", async (databaseUrl) => {
    await expect(openDatabase({ dataDir, databaseUrl }, silentLogger)).resolves.toMatchObject({ embedded: false });
  });

  test("where nobody answers", async () => {
    const refused = await start(`postgres://user:secret@127.0.0.1:${await freePort()}/x`).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: "DATABASE_UNREACHABLE", message: expect.stringContaining("ECONNREFUSED") });
    expect(String(refused)).not.toContain("secret");
  });
});
