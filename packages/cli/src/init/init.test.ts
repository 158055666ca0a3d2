// `holdfast init` on projects made of texts: what it detects, where it puts what, what it mounts, and what it leaves alone. That what it writes compiles and
// runs: tests/init.test.ts.
import { afterEach, describe, expect, test } from "vitest";
import { run } from "../program.ts";
import type { Plan } from "../project/plan.ts";
import { projectAt } from "../project/project.ts";
import { appliedTo, projectOf, type Texts, writeProject } from "../testing/test-project.ts";
import { testWorld } from "../testing/test-world.ts";
import { detect, type Framework } from "./detect.ts";
import { planInit } from "./init.ts";
import { layoutOf } from "./layout.ts";
import { nextSteps } from "./next-steps.ts";

const undo: (() => unknown)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

function planned(texts: Texts, wanted?: Framework) {
  const project = projectOf(texts);
  const setup = detect(project, wanted);
  const layout = layoutOf(project, setup);
  const plan = planInit(project, { setup, layout, version: "1.2.3" });
  return { setup, layout, plan, steps: nextSteps(project, setup, { layout, plan }), after: appliedTo(texts, plan) };
}
const manifest = (dependencies: Record<string, string>, more: object = {}) => JSON.stringify({ ...more, dependencies }, null, 2);
const paths = ({ changes }: Plan) => changes.map(({ path }) => path);
const TS = { "tsconfig.json": "{}" };

/** A project of each kind, and where its route belongs. */
const KINDS: Record<string, [texts: Texts, framework: Framework, route: string]> = {
  "next, app router in src": [
    { ...TS, "package.json": manifest({ next: "15" }), "src/app/page.tsx": "" },
    "next",
    "src/app/api/trigger/route.ts",
  ],
  "next, pages router": [
    { "package.json": manifest({ next: "14", express: "4" }), "pages/index.js": "" },
    "next",
    "pages/api/trigger.js",
  ],
  "next, both routers": [
    { ...TS, "package.json": manifest({ next: "14" }), "app/page.tsx": "", "pages/old.tsx": "" },
    "next",
    "app/api/trigger/route.ts",
  ],
  remix: [
    { ...TS, "package.json": manifest({ "@remix-run/node": "2", express: "4" }), "app/root.tsx": "" },
    "remix",
    "app/routes/api.trigger.ts",
  ],
  "react router": [
    { ...TS, "package.json": manifest({ "@react-router/dev": "7", "@remix-run/node": "2" }), "app/root.tsx": "" },
    "react-router",
    "app/routes/api.trigger.ts",
  ],
  "react router, of a workspace": [
    { ...TS, "package.json": manifest({ express: "5" }), "react-router.config.ts": "", "app/routes.ts": "export default [];" },
    "react-router",
    "app/routes/api.trigger.ts",
  ],
  sveltekit: [
    { ...TS, "package.json": manifest({ "@sveltejs/kit": "2" }), "src/app.html": "" },
    "sveltekit",
    "src/routes/api/trigger/+server.ts",
  ],
  astro: [{ ...TS, "package.json": manifest({ astro: "5" }), "src/pages/index.astro": "" }, "astro", "src/pages/api/trigger.ts"],
  express: [
    {
      "package.json": manifest({ express: "5" }, { type: "module" }),
      "index.js": 'import express from "express";\n\nconst app = express();\n',
    },
    "express",
    "holdfast/route.js",
  ],
  fastify: [
    { ...TS, "package.json": manifest({ fastify: "5" }), "src/main.ts": 'import Fastify from "fastify";\n' },
    "fastify",
    "src/holdfast/route.ts",
  ],
  hono: [{ ...TS, "package.json": manifest({ hono: "4" }, { type: "module" }), "src/a.ts": "" }, "hono", "src/holdfast/route.ts"],
  nothing: [{}, "node", "holdfast/route.js"],
};

describe.each(Object.entries(KINDS))("%s", (_kind, [texts, framework, route]) => {
  test("is detected, gets its files, and a second time there is nothing to do", () => {
    const { setup, layout, plan, after } = planned(texts);
    expect([setup.framework, layout.route, plan.conflicts]).toEqual([framework, route, []]);
    expect(paths(plan)).toContain(route);
    expect(JSON.parse(after["package.json"] ?? "").dependencies["@holdfast/sdk"]).toBe("^1.2.3");
    expect(after[framework === "next" ? ".env.local" : ".env"]).toContain(
      "HOLDFAST_API_URL=http://localhost:3040\nHOLDFAST_API_KEY=\n",
    );
    expect(planned(after).plan).toMatchObject({ changes: [], conflicts: [] });
  });
});

test("what it needs of the outside is said", () => {
  const steps = (texts: Texts, wanted?: Framework) => planned(texts, wanted).steps;
  expect(steps({ ...TS, "package.json": "{}", "yarn.lock": "" }, "hono")).toEqual([
    "yarn add hono @hono/node-server",
    "yarn add -D @types/node",
    "npx holdfast dev server.ts",
    expect.stringContaining("holdfast send hello"),
  ]);
  expect(steps({ "package.json": manifest({ next: "15" }, { packageManager: "pnpm@9.1.0" }) })[1]).toBe(
    "npx holdfast dev --app-url http://localhost:3000 -- npx next dev",
  );
  const scripts = { start: "next start" };
  expect(steps({ "package.json": manifest({ next: "15" }, { packageManager: "pnpm@9.1.0", scripts }) })[1]).toBe(
    "npx holdfast dev --app-url http://localhost:3000 -- pnpm start",
  );
  expect(steps({ "package.json": manifest({ next: "15" }, { scripts }), "bun.lock": "" })[1]).toMatch(/ -- bun run start$/);
  expect(steps({ "package.json": manifest({ "@remix-run/node": "2" }) })[1]).toMatch(/ -- <the command that starts your app>$/);
  expect(steps({ "package.json": manifest({ astro: "5" }) })[1]).toBe(
    "npx holdfast dev --app-url http://localhost:4321 -- npx astro dev",
  );
  const listening = (dev: string) => steps({ "package.json": manifest({ next: "15" }, { scripts: { dev } }) })[1];
  for (const dev of ["next dev -p 4000", "PORT=4000 next dev", "next dev --turbo --port=4000", "next dev -p 4000 && echo -p x"]) {
    expect(listening(dev)).toBe("npx holdfast dev --app-url http://localhost:4000 -- npm run dev");
  }
  for (const dev of ["next dev -p $PORT", "api --port 4000 & next dev -p 4001"]) {
    expect(listening(dev)).toBe("npx holdfast dev --app-url http://localhost:3000 -- npm run dev");
  }
  const express = KINDS.express?.[0] ?? {};
  expect(steps(express)[1]).toBe("npx holdfast dev index.js");
  expect(
    steps({ ...express, "package.json": manifest({ express: "5" }, { type: "module", scripts: { start: "node ." } }) })[1],
  ).toBe("npx holdfast dev -- npm run start");
  const remarks = (texts: Texts) => planned(texts).plan.remarks;
  expect(
    remarks({
      "package.json": manifest({ express: "4" }, { sideEffects: false }),
    }),
  ).toMatchObject([{ path: "package.json" }]);
  expect(
    remarks({ "package.json": manifest({ "@react-router/dev": "7" }), "app/routes.ts": "export default routes();" }),
  ).toMatchObject([{ path: "app/routes.ts", message: 'add the route: route("api/trigger", "routes/api.trigger.js")' }]);
  expect(remarks({ "package.json": manifest({ astro: "5" }), "astro.config.mjs": "" })).toMatchObject([
    { path: "astro.config.mjs" },
  ]);
});

describe("React Router's list of routes", () => {
  const listed = (text: string) => {
    const texts = { ...TS, "package.json": manifest({ "@react-router/dev": "7" }), "app/routes.ts": text };
    return planned(texts).after["app/routes.ts"];
  };
  const ENTRY = 'route("api/trigger", "routes/api.trigger.ts")';

  test("gets the route at its end, and the import it needs", () => {
    expect(
      listed(`import { type RouteConfig, index } from "@react-router/dev/routes";

export default [
  index("routes/home.tsx"), // [ the first
  ...prefix("concerts", [
    route("trending", "./concerts/trending.tsx")
  ])
] satisfies RouteConfig;
`),
    ).toBe(`import { type RouteConfig, index, route } from "@react-router/dev/routes";

export default [
  index("routes/home.tsx"), // [ the first
  ...prefix("concerts", [
    route("trending", "./concerts/trending.tsx")
  ]),
  ${ENTRY},
] satisfies RouteConfig;
`);
    expect(listed('import type { RouteConfig } from "@react-router/dev/routes"\nexport default [] satisfies RouteConfig')).toBe(
      `import { route } from "@react-router/dev/routes";\nimport type { RouteConfig } from "@react-router/dev/routes"\nexport default [${ENTRY}] satisfies RouteConfig`,
    );
    expect(
      listed("import {\r\n  route as at,\r\n} from '@react-router/dev/routes';\r\nexport default [\r\n\tat('', 'a.tsx'),\r\n];"),
    ).toBe(
      `import {\r\n  route as at,\r\n} from '@react-router/dev/routes';\r\nexport default [\r\n\tat('', 'a.tsx'),\r\n\t${ENTRY.replace("route", "at")},\r\n];`,
    );
  });

  test.each([
    'import { flatRoutes } from "@react-router/fs-routes";\nexport default flatRoutes();',
    'export default [route("api/trigger", "jobs.ts")];',
    "const routes = [];\nexport default routes;",
    "",
  ])("stays as it is where that is no list, or the route is in it: %s", (text) => expect(listed(text)).toBe(text));
});

describe("the user's server", () => {
  const server = (text: string, path = "src/app.ts", framework = "express") => {
    const texts = { ...TS, "package.json": manifest({ [framework]: "5" }), [path]: text };
    const { plan, after } = planned(texts);
    expect(after["src/holdfast/route.ts"] ?? 'from "./index"').toContain('from "./index"');
    return { text: after[path], plan };
  };

  test("gets an import and a line, in its own style", () => {
    expect(
      server(
        'import express from "express";\nimport { a } from "./a"\n\nexport const web: express.Express = express()\nweb.use(a)\n',
      ).text,
    ).toBe(
      'import express from "express";\nimport { a } from "./a"\nimport { holdfastRoute } from "./holdfast/route"\n\n' +
        "export const web: express.Express = express()\nweb.use(holdfastRoute)\nweb.use(a)\n",
    );
    expect(
      server(
        'import fastify from "fastify";\nfunction build() {\n  const app = fastify({\n    logger: true, // ) {\n  });\n  return app;\n}\n',
        "src/build.ts",
        "fastify",
      ).text,
    ).toBe(
      'import fastify from "fastify";\nimport { holdfastRoute } from "./holdfast/route";\nfunction build() {\n' +
        "  const app = fastify({\n    logger: true, // ) {\n  });\n  app.register(holdfastRoute);\n  return app;\n}\n",
    );
    expect(
      server('import { Hono as H } from "hono"\nconst api = new H<{ Variables: Map<string, number> }>()\n', "index.ts", "hono")
        .text,
    ).toBe(
      'import { Hono as H } from "hono"\nimport { holdfastRoute } from "./holdfast/route"\nconst api = new H<{ Variables: Map<string, number> }>()\napi.use(holdfastRoute)\n',
    );
  });

  test("keeps its line ends", () => {
    const text = 'import express from "express";\r\nconst app = express();\r\n';
    expect(server(text).text).toBe(
      'import express from "express";\r\nimport { holdfastRoute } from "./holdfast/route";\r\nconst app = express();\r\napp.use(holdfastRoute);\r\n',
    );
  });

  test("in CommonJS gets a require", () => {
    const texts = {
      "package.json": manifest({ express: "4" }),
      "index.js": 'const express = require("express");\nconst app = express();\napp.listen(3000);\n',
    };
    const { after } = planned(texts);
    expect(after["index.js"]).toBe(
      'const express = require("express");\nconst { holdfastRoute } = require("./holdfast/route.js");\nconst app = express();\napp.use(holdfastRoute);\napp.listen(3000);\n',
    );
    expect(after["holdfast/index.js"]).toContain('require("./example.js");\n\nmodule.exports = require("./client.js");');
  });

  test.each([
    ["two apps", 'import express from "express";\nconst a = express();\nconst b = express();\n'],
    ["an app that goes on", 'import express from "express";\nconst app = express()\n  .use(x);\n'],
    ["an app in a class", 'import express from "express";\nclass A { app = express(); }\n'],
    ["an app in a comment", 'import express from "express";\n// const app = express();\nrun(express);\n'],
  ])("is left alone when it is unclear: %s", (_what, text) => {
    const { plan, text: now } = server(text);
    expect(now).toBe(text);
    expect(plan.remarks).toMatchObject([{ message: expect.stringContaining("app.use(holdfastRoute)") }]);
  });
});

test("keys that are there are kept, under v2's names too, and .holdfast/ is kept from git", () => {
  const texts = { "package.json": "{}", ".env": "A=1", ".env.local": "TRIGGER_API_KEY=tr_dev_x\n", ".gitignore": "node_modules" };
  const { after } = planned(texts);
  expect(after[".env"]).toMatch(/^A=1\n# Holdfast.*\nHOLDFAST_API_URL=http:\/\/localhost:3040\n$/);
  expect([after[".env.local"], after[".gitignore"]]).toEqual([texts[".env.local"], "node_modules\n.holdfast/\n"]);
});

test("a file with Windows' line ends gets no others", () => {
  const texts = { "package.json": "{}", ".env": "A=1\r\n", ".gitignore": "node_modules\r\ndist" };
  const { after } = planned(texts);
  expect(after[".env"]?.replaceAll("\r\n", "")).not.toContain("\n");
  expect(after[".gitignore"]).toBe("node_modules\r\ndist\r\n.holdfast/\r\n");
});

test.each(["tsconfig.build.json", "src/index.ts"])("%s alone makes it TypeScript: the compiler is the workspace's", (path) => {
  const texts = { "package.json": manifest({ express: "4" }), [path]: "" };
  expect(planned(texts).setup).toMatchObject({ typescript: true, ending: "ts" });
  expect(planned({ "package.json": "{}", "env.d.ts": "", "src/index.js": "" }).setup.typescript).toBe(false);
});

test("at the root of a workspace it says that apps are further down", () => {
  const root = { "package.json": '{ "workspaces": ["apps/*"] }', "apps/web/package.json": manifest({ next: "14" }) };
  const remark = { message: expect.stringContaining("in the folder of the app") };
  expect(planned(root).plan.remarks).toMatchObject([remark]);
  const pnpm = { "package.json": "{}", "pnpm-workspace.yaml": "packages: []", "apps/web/package.json": manifest({ next: "14" }) };
  expect(planned(pnpm).plan.remarks).toMatchObject([remark]);
  expect(planned({ "package.json": "{}", "pnpm-workspace.yaml": "overrides: {}" }).plan.remarks).toEqual([]);
  expect(
    planned({ ...root, "package.json": '{ "workspaces": ["apps/*"], "dependencies": { "express": "4" } }' }).plan.remarks,
  ).toEqual([]);
});

describe("the command", () => {
  function here(texts: Texts, answer?: string) {
    const world = testWorld(answer === undefined ? {} : { answer });
    undo.push(world.remove);
    writeProject(world.cwd, texts);
    return world;
  }

  test("writes nothing while one file is in the way, and names it", async () => {
    const world = here({ "package.json": manifest({ next: "14" }), "app/api/trigger/route.js": "mine" });
    expect(await run(["init", "--yes"], world)).toBe(1);
    expect(world.printed.err).toContain("differ from what would be written.\n  app/api/trigger/route.js\n");
    expect(projectAt(world.cwd).paths).toEqual(["app/api/trigger/route.js", "package.json"]);
    expect(await run(["init", "--yes", "--json"], world)).toBe(1);
  });

  test("takes the framework it is told, and no other", async () => {
    const world = here({ "package.json": manifest({ next: "14" }) }, "yes");
    expect(await run(["init", "--framework", "fastify"], world)).toBe(0);
    expect(projectAt(world.cwd).read("holdfast/route.js")).toContain("@holdfast/sdk/fastify");
    expect(await run(["init", "--framework", "fastify"], world)).toBe(0);
    expect(world.printed.err).toMatch(/Nothing to do\.\n$/);
    expect(await run(["init", "--framework", "rails"], world)).toBe(2);
    expect(world.printed.err).toContain("It takes one of next, express, fastify");
  });

  test("in a member of a workspace goes on with the workspace's package manager", async () => {
    const world = here({
      "package.json": "{}",
      "pnpm-workspace.yaml": "packages: []",
      "pnpm-lock.yaml": "",
      "apps/a/package.json": "{}",
    });
    expect(await run(["init", "--dry-run", "--json"], { ...world, cwd: `${world.cwd}/apps/a` })).toBe(0);
    expect(JSON.parse(world.printed.out)).toMatchObject({
      packageManager: "pnpm",
      next: expect.arrayContaining(["pnpm install"]),
    });
  });

  test("leaves an app of v2's to migrate, and one that was turned over alone: a second client would take its route", async () => {
    const app = (range: string) => `\ufeff${manifest({ express: "4", "@trigger.dev/sdk": range })}`;
    const old = here({ "package.json": app("^2.3.18"), "app.js": "" });
    expect(await run(["init", "--yes"], old)).toBe(1);
    expect(old.printed.err).toMatch(/on Trigger.dev v2.*`holdfast migrate` turns it over/s);
    for (const range of ["^4.0.1", "3.3.17", "v4-beta", "latest"]) {
      const later = here({ "package.json": app(range), "app.js": "" });
      expect([range, await run(["init", "--dry-run"], later)]).toEqual([range, 0]);
      expect(later.printed.err).not.toMatch(/Trigger.dev v2/);
    }
    const turned = here({ "package.json": app("npm:@holdfast/sdk@^0.1.0") });
    expect(await run(["init", "--yes"], turned)).toBe(0);
    expect(turned.printed.err).toMatch(/turned over by `holdfast migrate`.*Nothing to do/s);
    for (const { cwd } of [old, turned]) expect(projectAt(cwd).read(".env")).toBeUndefined();
  });

  test("refuses a package.json that is none", async () => {
    const world = here({ "package.json": "{" });
    expect(await run(["init", "--yes"], world)).toBe(1);
    expect(world.printed.err).toContain("package.json is not a JSON object");
  });
});
