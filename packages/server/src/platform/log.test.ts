import { describe, expect, it } from "vitest";
import { createLogger, type LoggerOptions } from "./log.ts";

function capture(options: LoggerOptions = {}) {
  const lines: string[] = [];
  return { lines, log: createLogger({ now: () => 0, write: (line) => void lines.push(line), ...options }) };
}

describe("createLogger", () => {
  it("writes one human line with its fields, and drops what lies below the level", () => {
    const { lines, log } = capture();
    log.debug("unseen");
    log.child({ run: "run_1" }).info("finished\nwell", { ms: 12, why: "it ended" });
    expect(lines).toEqual(['00:00:00.000 info  finished\\nwell run=run_1 ms=12 why="it ended"']);
  });

  it("writes JSON when asked, and survives cycles, bytes, bigints and errors", () => {
    const { lines, log } = capture({ json: true });
    const cycle: Record<string, unknown> = { big: 5n, bytes: new Uint8Array(3) };
    cycle.self = cycle;
    log.error("broke", { error: new TypeError("no"), cycle });
    const line = JSON.parse(lines[0] ?? "");
    expect(line).toMatchObject({ level: "error", message: "broke", time: "1970-01-01T00:00:00.000Z" });
    expect(line.error).toMatchObject({ name: "TypeError", message: "no" });
    expect(line.cycle).toEqual({ big: "5", bytes: "[3 bytes]", self: "[seen above]" });
  });

  it.each([{ json: true }, { json: false }])("never prints a secret (%o)", (options) => {
    const { lines, log } = capture(options);
    const secrets = ["hunter2secretvalue", "4fKq8Lw2Zx9Yb3Nc", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "eyJhbGciOiJIUzI1NiJ9"];
    const [password, key, signing, bearer] = secrets;
    log.error(`called with tr_dev_${key} and Bearer ${bearer}`, {
      password,
      headers: { "x-trigger-api-key": password, authorization: `Bearer ${bearer}`, cookie: password },
      url: `postgres://holdfast:${password}@db:5432/x`,
      note: `secret is whsec_${signing}`,
      error: new Error(`refused tr_dev_${key}`),
    });
    for (const secret of secrets) expect(lines.join("\n")).not.toContain(secret);
    expect(lines.join("\n")).toContain("[hidden]");
  });
});
