// Precedence and refusal of settings: flag > environment > config file > default, each bad value blamed on its place.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { loadConfig } from "./config-file.ts";
import { readEnvFiles } from "./env-files.ts";
import { settle } from "./settings.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});
function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-settings-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}
const config = (values: object) => ({ name: "holdfast.config.mjs", values });

describe("settle", () => {
  const cwd = "/project";
  test("defaults", () => {
    expect(settle({ env: {}, cwd }, {}, config({}))).toEqual({
      port: 3040,
      portChosen: false,
      host: "127.0.0.1",
      dataDir: resolve(cwd, ".holdfast"),
      databaseUrl: null,
      devSchedules: true,
      publicUrl: null,
      apiRate: null,
      runsAtOnce: null,
      files: [],
    });
  });

  test.each([
    ["port", "HOLDFAST_PORT", "4001", "4002", 4003],
    ["host", "HOLDFAST_HOST", "127.0.0.1", "127.0.0.2", "127.0.0.3"],
    ["dataDir", "HOLDFAST_DATA_DIR", "/flag", "/env", "/file"],
    ["databaseUrl", "DATABASE_URL", "postgres://flag", "postgres://env", "postgres://file"],
  ] as const)("%s: flag, then %s, then the file", (key, variable, flag, env, file) => {
    const values = config({ [key]: file });
    const read = (flags: object, environment: object) => String(settle({ env: { ...environment }, cwd }, flags, values)[key]);
    expect(read({ [key]: flag }, { [variable]: env })).toBe(flag);
    expect(read({}, { [variable]: env })).toBe(env);
    expect(read({}, { [variable]: "" }), "an empty variable is not set").toBe(String(file));
    expect(read({}, {})).toBe(String(file));
  });

  test("devSchedules: on, unless the flag, else HOLDFAST_DEV_SCHEDULES, else the file says off; nothing else is taken", () => {
    const read = (flag?: string, variable?: string, file?: "on" | "off") => {
      const flags = flag === undefined ? {} : { devSchedules: flag };
      const env = variable === undefined ? {} : { HOLDFAST_DEV_SCHEDULES: variable };
      return settle({ env, cwd }, flags, config(file === undefined ? {} : { devSchedules: file })).devSchedules;
    };
    expect([read("off", "on", "on"), read(undefined, "off", "on"), read(undefined, undefined, "off")]).toEqual([
      false,
      false,
      false,
    ]);
    expect([read("on", "off", "off"), read(undefined, "on", "off"), read(undefined, undefined, "on")]).toEqual([
      true,
      true,
      true,
    ]);
    expect(() => read("no")).toThrow(/^--dev-schedules must be "on" or "off"/);
    expect(() => read(undefined, "false")).toThrow(/^HOLDFAST_DEV_SCHEDULES must be/);
  });

  test("publicUrl: an origin", () => {
    const read = (value: string) => settle({ env: { HOLDFAST_PUBLIC_URL: value }, cwd }, {}, config({})).publicUrl;
    expect([read(""), read("https://jobs.example.com/"), read("http://1.2.3.4:80")]).toEqual([
      null,
      "https://jobs.example.com",
      "http://1.2.3.4",
    ]);
    for (const wrong of ["jobs.example.com", "https://jobs.example.com/path", "ftp://x"]) {
      expect(() => read(wrong), wrong).toThrow(/^HOLDFAST_PUBLIC_URL must be like/);
    }
  });

  test("apiRateLimit: requests a second, and how many at once", () => {
    const read = (value: string) => settle({ env: { HOLDFAST_API_RATE_LIMIT: value }, cwd }, {}, config({})).apiRate;
    expect([read(""), read("off"), read("25"), read("25:750")]).toEqual([
      null,
      null,
      { perSecond: 25, burst: 250 },
      { perSecond: 25, burst: 750 },
    ]);
    for (const wrong of ["0", "-1", "1.5", "25:", "25:0", "ten", "25:750:1"]) {
      expect(() => read(wrong), wrong).toThrow(/^HOLDFAST_API_RATE_LIMIT must be requests a second/);
    }
  });

  test("runsAtOnce: a whole number of runs, or off", () => {
    const read = (value: string) => settle({ env: { HOLDFAST_RUNS_AT_ONCE: value }, cwd }, {}, config({})).runsAtOnce;
    expect([read(""), read("off"), read("1"), read("500")]).toEqual([null, null, 1, 500]);
    for (const wrong of ["0", "-1", "1.5", "many", "1000000"]) {
      expect(() => read(wrong), wrong).toThrow(/^HOLDFAST_RUNS_AT_ONCE must be a whole number/);
    }
  });

  test("a port from any place is a chosen one", () => {
    expect(settle({ env: {}, cwd }, { port: "3040" }, config({})).portChosen).toBe(true);
    expect(settle({ env: { HOLDFAST_PORT: "0" }, cwd }, {}, config({}))).toMatchObject({ port: 0, portChosen: true });
    expect(settle({ env: {}, cwd }, {}, config({ port: 5000 })).portChosen).toBe(true);
  });

  test.each(["web", "-1", "65536", "30.5", "0x50", " 80"])("port %j is refused with its place", (port) => {
    const refused = (flags: object, env: object) => () => settle({ env: { ...env }, cwd }, flags, config({}));
    expect(refused({ port }, {})).toThrow(/^--port must be a port number/);
    expect(refused({}, { HOLDFAST_PORT: port })).toThrow(/^HOLDFAST_PORT must be a port number/);
  });
});

describe("loadConfig", () => {
  const body = '{ port: 4100, host: "127.0.0.5", dataDir: "d", files: ["a.ts"] }';
  test.each([
    ["holdfast.config.json", '{ "port": 4100, "host": "127.0.0.5", "dataDir": "d", "files": ["a.ts"] }'],
    ["holdfast.config.mjs", `export default ${body}`],
    ["holdfast.config.js", `module.exports = ${body}`],
    ["holdfast.config.ts", `const config: { port: number } & object = ${body};\nexport default config;`],
  ])("%s", async (name, text) => {
    const loaded = await loadConfig(folderWith({ [name]: text, "package.json": "{}" }));
    expect(loaded).toMatchObject({ name, values: { port: 4100, host: "127.0.0.5", dataDir: "d", files: ["a.ts"] } });
  });

  test("no file", async () => {
    expect((await loadConfig(folderWith({}))).values).toEqual({});
  });

  test.each([
    ['{ "prot": 1 }', /key nobody reads: "prot"/],
    ['{ "port": "4100" }', /"port" of holdfast.config.json must be: number/],
    ['{ "files": "a.ts" }', /must be: array of strings/],
    ["[", /could not be read/],
    ["null", /must export an object/],
  ])("refuses %s", async (text, message) => {
    await expect(loadConfig(folderWith({ "holdfast.config.json": text }))).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(message),
    });
  });
});

test(".env files: a later name wins", () => {
  const cwd = folderWith({ ".env": "A=1\nB='two words'\n", ".env.local": "A=3\n", ".env.development": "C=4\n" });
  expect(readEnvFiles(cwd)).toEqual({ A: "3", B: "two words", C: "4" });
});
