// The sources of tests/published, written against the published SDK's types, typecheck against ours as well, in strict mode: an app moves over by an alias, type for type.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { ROOT } from "./harness/processes.ts";

const PUBLISHED = join(ROOT, "tests/published");
/** What `tsc` says when types do not fit. */
const TYPE_ERROR = /error TS/;

async function problems(source?: string, more: object = {}): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "holdfast-types-"));
  const programs = readdirSync(PUBLISHED).filter((name) => name.endsWith(".ts") && !name.startsWith("mount-"));
  const files = programs.map((name) => join(PUBLISHED, name));
  if (source) {
    files.push(join(directory, "extra.mts"));
    writeFileSync(join(directory, "extra.mts"), source);
  }
  const compilerOptions = {
    noEmit: true,
    composite: false,
    types: ["node"],
    typeRoots: [join(ROOT, "node_modules/@types")],
    paths: {
      "@trigger.dev/sdk": [join(ROOT, "packages/sdk/dist/index.d.ts")],
      published: [join(PUBLISHED, "node_modules/@trigger.dev/sdk/dist/index.d.ts")],
    },
    ...more,
  };
  const config = { extends: join(ROOT, "tsconfig.base.json"), compilerOptions, files };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
  try {
    await promisify(execFile)(process.execPath, [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", directory]);
    return "";
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? error);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("programs written against v2's types fit ours", { timeout: 120_000 }, async () => {
  expect(await problems()).toBe("");
});

test("every name of v2's package is one of ours: values as values, types as types", { timeout: 120_000 }, async () => {
  const published = join(PUBLISHED, "node_modules/@trigger.dev/sdk/dist");
  const values = Object.keys(await import(join(published, "index.mjs")));
  const ours = Object.keys(await import(join(ROOT, "packages/sdk/dist/index.js")));
  expect(values.length).toBeGreaterThan(25);
  expect(values.filter((name) => !ours.includes(name))).toEqual([]);
  const lists = readFileSync(join(published, "index.d.ts"), "utf8").matchAll(/^export \{([^}]+)\}/gm);
  const types = [...lists].flatMap(([, list = ""]) => list.split(",").map((name) => name.replace("type ", "").trim()));
  expect(types.length).toBeGreaterThan(85);
  expect(await problems(`export type { ${types.join(", ")} } from "@trigger.dev/sdk";\n`)).toBe("");
});

/** Members of v2's that ours need not have: its own doing, which nothing but its own code calls. */
const OF_ITS_INSIDES = ["attachDynamicScheduleToJob", "attachJobToDynamicTrigger", "stats"];
const CLASSES: Record<string, string> = {
  ...{ TriggerClient: "", IO: "", IOLogger: "", Job: "<any, any>", EventTrigger: "<any>", DynamicTrigger: "<any, any>" },
  ...{ DynamicSchedule: "", ExternalSource: "<any, any>", ExternalSourceTrigger: "<any, any>" },
  ...{ WebhookTrigger: "<any, any>", CronTrigger: "", IntervalTrigger: "", InvokeTrigger: "<any>", IOTask: "", Task: "" },
  ...{ MissingConnectionNotification: "", TriggerContext: "", TriggerClientOptions: "", JobOptions: "<any, any>" },
  ...{ EventSpecification: "<any>", SentEvent: "", ConnectionAuth: "", BackgroundFetchResponse: "<any>" },
};
/** What programs hand in by v2's types, and ours must take; and what ours gives, which must be what v2's types promise. */
const TAKEN = [
  ...["IO", "IO", "IO"].map((name, at) => `${name}["${["backgroundFetch", "backgroundPoll", "waitForEvent"][at]}"]`),
  ...["sendEvent", "sendEvents", "invokeJob", "defineHttpEndpoint", "handleRequest", "createEphemeralEventDispatcher"].map(
    (method) => `TriggerClient["${method}"]`,
  ),
  'DynamicSchedule["register"]',
];
const GIVEN = [
  ...["getRun", "getRuns", "getEvent", "cancelEvent", "sendEvent", "cancelRun", "getRunStatuses", "updateStatus"].map(
    (method) => `Awaited<ReturnType<X.TriggerClient["${method}"]>>`,
  ),
  ...["runSucceeeded", "runFailed"].map((name) => `Parameters<X.NotificationEvents["${name}"]>[0]`),
  ...["registerTrigger", "getAuth", "updateSource", "sendEvents", "backgroundFetchResponse", "random", "parallel"].map(
    (method) => `Awaited<ReturnType<X.IO["${method}"]>>`,
  ),
  'Awaited<ReturnType<X.TriggerClient["registerTrigger"]>>["options"]',
  ...["TriggerContext", "IOTask", "WaitForEventResult<any>"].map((name) => `X.${name}`),
];

test("what v2's classes have ours have; what its types take ours take, and what they promise ours give", {
  timeout: 120_000,
}, async () => {
  const source = [
    'import type * as P from "published";\nimport type * as O from "@trigger.dev/sdk";',
    `type Missing<A, B> = Exclude<keyof A, keyof B | "${OF_ITS_INSIDES.join('" | "')}">;`,
    ...Object.entries(CLASSES).map(
      ([name, of], n) =>
        `export const none${n}: Missing<P.${name}${of}, O.${name}${of}>[] = [] as never[]; none${n} satisfies never[];`,
    ),
    `export const none: Missing<Omit<P.WebhookSource<any>, "register">, O.WebhookSource<any>>[] = [] as never[]; none satisfies never[];`,
    ...TAKEN.map(
      (name, n) =>
        `export declare const given${n}: Parameters<P.${name}>; export const taken${n}: Parameters<O.${name}> = given${n};`,
    ),
    ...GIVEN.map(
      (name, n) =>
        `export declare const ours${n}: ${name.replace("X.", "O.")}; export const theirs${n}: ${name.replace("X.", "P.")} = ours${n};`,
    ),
  ];
  // Left off, the one option under which what may be left out may not be undefined.
  expect(await problems(source.join("\n"), { exactOptionalPropertyTypes: false })).toBe("");
});

test("what does not fit is found", { timeout: 120_000 }, async () => {
  const wrong = 'import { eventTrigger } from "@trigger.dev/sdk";\nexport const trigger = eventTrigger({ name: 7 });\n';
  expect(await problems(wrong)).toMatch(TYPE_ERROR);
});
