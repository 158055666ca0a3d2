// What `holdfast init` writes, in each framework: it compiles in strict mode, and in those that can be had without a build the written app is started as it
// is, registered by its URL, and runs its job. The command, the server, PostgreSQL and the frameworks are the real ones.
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshProject, removeProjects } from "./harness/dev.ts";
import { freePort } from "./harness/free-port.ts";
import { cleanUp, startProgram } from "./harness/processes.ts";
import { TestServer } from "./harness/server.ts";
import { typeErrors } from "./harness/typecheck.ts";
import { callCli, type Texts, writeFiles, writtenProject } from "./harness/written-project.ts";

const LONG = { timeout: 120_000 };
let server: TestServer;
beforeAll(async () => {
  server = await TestServer.start();
}, 90_000);
afterAll(async () => {
  await server.stop();
  await cleanUp();
  removeProjects();
});

/** Runs the command in a fresh folder "app" with these files; resolves with the folder. */
async function initiated(texts: Texts, ...words: string[]): Promise<string> {
  const directory = writtenProject(texts);
  await init(directory, ...words);
  return directory;
}
async function init(directory: string, ...words: string[]): Promise<void> {
  const { code, output } = await callCli(directory, "init", "--yes", ...words);
  expect([code, output]).toEqual([0, expect.stringMatching(/files written|Nothing to do/)]);
}

const MODULE = { type: "module", private: true };
const manifest = (dependencies: Texts, more: object = {}) => JSON.stringify({ name: "app", ...more, dependencies });
const typescript = { "tsconfig.json": '{ "compilerOptions": { "module": "nodenext" } }' };

/** Projects of each kind, and the program to start. */
const APPS: Record<string, { texts: Texts; words?: string[]; start: string[] }> = {
  "Express, in TypeScript, with a server": {
    texts: {
      ...typescript,
      "package.json": manifest({ express: "5" }, MODULE),
      "src/main.ts": `import express from "express";\n\nconst app = express();\napp.use(express.json());\napp.listen(Number(process.env.PORT), () => console.log("listening"));\n`,
    },
    start: ["--import", "tsx", "src/main.ts"],
  },
  "Express, in CommonJS, with a server": {
    texts: {
      "package.json": manifest({ express: "5" }),
      "index.js": `const express = require("express");\nconst app = express();\napp.use(express.json());\napp.listen(Number(process.env.PORT), () => console.log("listening"));\n`,
    },
    start: ["index.js"],
  },
  "Fastify, from nothing": { texts: {}, words: ["--framework", "fastify"], start: ["server.js"] },
  "Hono, in TypeScript": {
    texts: { ...typescript, "package.json": manifest({ hono: "4" }, MODULE) },
    start: ["--import", "tsx", "server.ts"],
  },
  "plain Node, in TypeScript": {
    texts: { ...typescript, "package.json": manifest({}, MODULE), "src/other.ts": "export {};\n" },
    start: ["--import", "tsx", "src/holdfast/server.ts"],
  },
};

test.each(Object.entries(APPS))(
  "%s: the written app compiles, starts and runs its job",
  LONG,
  async (what, { texts, words = [], start }) => {
    const directory = await initiated(texts, ...words);
    if (what.includes("TypeScript")) expect(await typeErrors(directory)).toBe("");
    const port = await freePort();
    const app = startProgram(start, { cwd: directory, env: { ...server.appEnv, PORT: String(port) } });
    await app.says(/listening|Jobs are served/);
    const url = `http://127.0.0.1:${port}/api/trigger`;
    expect(await (await fetch(url)).json()).toMatchObject({ app: "app", jobs: 1 });
    await server.api.post("/api/v1/endpoints", { id: "app", url });
    const before = (await server.api.runsOf("hello")).length;
    await server.api.send({ name: "hello", payload: { name: what } });
    const [run] = await server.api.settled("hello", before + 1, { withinMs: 30_000 });
    expect(await server.api.run(run?.id ?? "")).toMatchObject({ status: "SUCCESS", output: { greeting: `Hello, ${what}!` } });
    await app.stop();
    await init(directory, ...words);
  },
);

/** What their own compilers add to a project's types. */
const AMBIENT = `declare module "$env/dynamic/private" { export const env: Record<string, string | undefined>; }
declare module "astro:env/server" { export const getSecret: (key: string) => string | undefined; }
`;

describe("what bundlers compile", () => {
  test("has no type errors: Next's two routers, Remix, SvelteKit and Astro", LONG, async () => {
    const all = freshProject({});
    const kinds: Record<string, Texts> = {
      next: { "package.json": manifest({ next: "15" }), "src/app/page.tsx": "export default () => null;" },
      pages: { "package.json": manifest({ next: "14" }), "pages/index.tsx": "export default () => null;" },
      remix: { "package.json": manifest({ "@remix-run/node": "2" }), "app/root.tsx": "export default () => null;" },
      sveltekit: { "package.json": manifest({ "@sveltejs/kit": "2" }), "src/hooks.ts": "export {};" },
      astro: { "package.json": manifest({ astro: "5" }), "src/env.ts": "export {};" },
    };
    for (const [name, texts] of Object.entries(kinds)) {
      writeFiles(join(all, name), { ...texts, "tsconfig.json": "{}" });
      await init(join(all, name));
    }
    writeFiles(all, { "ambient.d.ts": AMBIENT });
    const bundled = { module: "esnext", moduleResolution: "bundler", jsx: "preserve" };
    expect(await typeErrors(all, bundled)).toBe("");
    writeFiles(join(all, "next/src/holdfast"), {
      "example.ts": 'import { client } from "./client";\nclient.defineJob({ id: 7 });\n',
    });
    expect(await typeErrors(all, bundled)).toMatch(
      /^next\/src\/holdfast\/example\.ts\S+ - error TS|next\/src\/holdfast\/example\.ts.*error TS/,
    );
  });
});
