// What `holdfast init` writes in the frameworks that bundle: in their dev server under `holdfast dev` the job runs, and a changed one is known without anybody's
// doing; built for production, on a machine that has the `.env` init wrote, it obeys the environment it is started in, and is called or dials out. All of it is real.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AppInfo } from "@holdfast/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build, demandFrameworks, installOurs, located, startBuild } from "./harness/built-app.ts";
import { freshProject, removeProjects, startDev } from "./harness/dev.ts";
import { freePort } from "./harness/free-port.ts";
import { cleanUp } from "./harness/processes.ts";
import { DEV_KEY, TestServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";
import { callCli, type Texts, writeFiles } from "./harness/written-project.ts";

const LONG = { timeout: 180_000 };
let server: TestServer;
beforeAll(async () => {
  demandFrameworks();
  server = await TestServer.start();
}, 90_000);
afterAll(async () => {
  await server?.stop();
  await cleanUp();
  removeProjects();
});

const PAGE = "export default function Page() {\n  return <p>Hello</p>;\n}\n";
const JSX = { module: "esnext", moduleResolution: "bundler", jsx: "react-jsx", strict: true, skipLibCheck: true, noEmit: true };
const manifest = (dependencies: Texts, devDependencies: Texts = {}) =>
  JSON.stringify({ name: "app", private: true, type: "module", dependencies, devDependencies });
const tsconfig = (options: object) => JSON.stringify({ compilerOptions: options, include: ["**/*.ts", "**/*.tsx"] });
const root = (from: string) => `import { Outlet, Scripts } from "${from}";

export default function App() {
  return <html lang="en"><body><Outlet /><Scripts /></body></html>;
}
`;

interface Kind {
  /** The folder whose packages it is built with, if not tests/frameworks itself. */
  install?: string;
  texts: Texts;
  dev: string[];
  build: string[];
  start: string[];
  example: string;
}

/** A project as each framework's own starter makes it, without what is beside the point; and its commands. */
const KINDS: Record<string, Kind> = {
  "Next.js": {
    texts: {
      "package.json": manifest({ next: "16", react: "18", "react-dom": "18" }, { typescript: "5" }),
      "tsconfig.json": tsconfig({ ...JSX, lib: ["dom", "esnext"] }),
      "src/app/layout.tsx":
        'export default function Layout({ children }: { children: React.ReactNode }) {\n  return <html lang="en"><body>{children}</body></html>;\n}\n',
      "src/app/page.tsx": PAGE,
    },
    dev: ["npm:next/dist/bin/next", "dev", "--hostname", "127.0.0.1"],
    build: ["npm:next/dist/bin/next", "build"],
    start: ["npm:next/dist/bin/next", "start"],
    example: "src/holdfast/example.ts",
  },
  "Next.js 14, pages router, JavaScript": {
    install: "next-14",
    texts: {
      "package.json": JSON.stringify({
        name: "app",
        private: true,
        dependencies: { next: "14", react: "18", "react-dom": "18" },
      }),
      "next.config.mjs": "export default { outputFileTracing: false };\n",
      "pages/index.js": PAGE,
    },
    dev: ["npm:next/dist/bin/next", "dev", "--hostname", "127.0.0.1"],
    build: ["npm:next/dist/bin/next", "build"],
    start: ["npm:next/dist/bin/next", "start"],
    example: "holdfast/example.js",
  },
  SvelteKit: {
    texts: {
      "package.json": manifest({}, { "@sveltejs/kit": "2", svelte: "5", typescript: "5", vite: "6" }),
      "svelte.config.js": 'import adapter from "@sveltejs/adapter-node";\n\nexport default { kit: { adapter: adapter() } };\n',
      "vite.config.ts": 'import { sveltekit } from "@sveltejs/kit/vite";\n\nexport default { plugins: [sveltekit()] };\n',
      "src/app.html": "<html><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>\n",
      "src/routes/+page.svelte": "<p>Hello</p>\n",
    },
    dev: ["npm:vite/bin/vite.js", "dev", "--host", "127.0.0.1"],
    build: ["npm:vite/bin/vite.js", "build"],
    start: ["build"],
    example: "src/lib/server/holdfast/example.ts",
  },
  Astro: {
    texts: {
      "package.json": manifest({ astro: "5", "@astrojs/node": "9" }, { typescript: "5" }),
      "astro.config.mjs": 'import node from "@astrojs/node";\n\nexport default { adapter: node({ mode: "standalone" }) };\n',
      "src/pages/index.astro": "<p>Hello</p>\n",
    },
    dev: ["npm:astro/astro.js", "dev", "--host", "127.0.0.1"],
    build: ["npm:astro/astro.js", "build"],
    start: ["dist/server/entry.mjs"],
    example: "src/holdfast/example.ts",
  },
  "Remix, on Vite": {
    texts: {
      "package.json": manifest(
        { "@remix-run/node": "2", "@remix-run/react": "2", "@remix-run/serve": "2", isbot: "4" },
        { "@remix-run/dev": "2", typescript: "5", vite: "6" },
      ),
      "tsconfig.json": tsconfig(JSX),
      "vite.config.ts": 'import { vitePlugin } from "@remix-run/dev";\n\nexport default { plugins: [vitePlugin()] };\n',
      "app/root.tsx": root("@remix-run/react"),
      "app/routes/_index.tsx": PAGE,
    },
    dev: ["npm:@remix-run/dev/dist/cli.js", "vite:dev", "--host", "127.0.0.1"],
    build: ["npm:@remix-run/dev/dist/cli.js", "vite:build"],
    start: ["npm:@remix-run/serve/dist/cli.js", "build/server/index.js"],
    example: "app/holdfast/example.ts",
  },
  "React Router": {
    install: "react-router-7",
    texts: {
      "package.json": manifest(
        { "@react-router/node": "7", "@react-router/serve": "7", "react-router": "7", isbot: "5" },
        { "@react-router/dev": "7", typescript: "5", vite: "6" },
      ),
      "tsconfig.json": tsconfig(JSX),
      "react-router.config.ts":
        'import type { Config } from "@react-router/dev/config";\n\nexport default { ssr: true } satisfies Config;\n',
      "vite.config.ts": 'import { reactRouter } from "@react-router/dev/vite";\n\nexport default { plugins: [reactRouter()] };\n',
      "app/root.tsx": root("react-router"),
      "app/routes.ts":
        'import { type RouteConfig, index } from "@react-router/dev/routes";\n\nexport default [index("routes/home.tsx")] satisfies RouteConfig;\n',
      "app/routes/home.tsx": PAGE,
    },
    dev: ["npm:@react-router/dev/bin.js", "dev", "--host", "127.0.0.1"],
    build: ["npm:@react-router/dev/bin.js", "build"],
    start: ["npm:@react-router/serve/bin.js", "build/server/index.js"],
    example: "app/holdfast/example.ts",
  },
};

function projectWith({ texts, install = "." }: Kind): string {
  const directory = join(freshProject({}, join("tests/frameworks", install)), "app");
  writeFiles(directory, texts);
  return directory;
}

test.each(Object.entries(KINDS))("%s: the written app runs in dev and in production", LONG, async (_name, kind) => {
  const directory = projectWith(kind);
  expect(await callCli(directory, "init", "--yes")).toEqual({ code: 0, output: expect.stringContaining("files written") });
  installOurs(directory, "@holdfast/sdk");

  const port = String(await freePort());
  const command = [process.execPath, ...located(kind.dev, kind.install), "--port", port];
  const dev = await startDev(directory, ["--app-url", `http://127.0.0.1:${port}`, "--", ...command], {
    ...{ NEXT_TELEMETRY_DISABLED: "1", ASTRO_TELEMETRY_DISABLED: "1" },
  });
  await dev.program.says(/app +app +connected/, 60_000);
  const hello = { name: "hello", payload: { name: "Ada" } };
  expect(await dev.api.runOnce("hello", hello)).toMatchObject({ status: "SUCCESS", output: { greeting: "Hello, Ada!" } });
  const path = join(directory, kind.example);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace("Hello, ", "Howdy, ").replace('"1.0.0"', '"1.0.1"'));
  const isKnown = async () => {
    const jobs: { items: { version: string }[] } = await dev.api.get(dev.api.at("/jobs"));
    return JSON.stringify(jobs).includes('"1.0.1"');
  };
  await until(isKnown, { what: () => `the changed job:\n${dev.program.output()}` });
  expect(await dev.api.runOnce("hello", hello)).toMatchObject({ output: { greeting: "Howdy, Ada!" } });
  expect(dev.program.output()).not.toContain("defined twice");
  expect(await dev.program.stop()).toEqual({ code: 0, signal: null });

  await build(directory, kind.build, {}, kind.install);
  const env = { HOLDFAST_API_URL: server.url, HOLDFAST_API_KEY: DEV_KEY };
  const called = await startBuild(directory, kind.start, env, kind.install);
  await server.api.post("/api/v1/endpoints", { id: "app", url: `${called.url}/api/trigger` });
  expect(await server.api.runOnce("hello", hello)).toMatchObject({ status: "SUCCESS", output: { greeting: "Howdy, Ada!" } });
  await called.stop();

  // The bundle can dial out, too; what loads it is the first request.
  const dialling = await startBuild(directory, kind.start, { ...env, HOLDFAST_DEV_CONNECT: "1" }, kind.install);
  await fetch(`${dialling.url}/api/trigger`);
  const transport = async () => (await server.api.get<AppInfo[]>(server.api.at("/apps")))[0]?.transport;
  await until(async () => (await transport()) === "connect", { what: () => "the app to connect" });
  expect(await server.api.runOnce("hello", hello)).toMatchObject({ output: { greeting: "Howdy, Ada!" } });
  await dialling.stop();
});
