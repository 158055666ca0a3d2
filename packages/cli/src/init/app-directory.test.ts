// `holdfast init` in a Remix or React Router app whose sources stand elsewhere than in "app".
import { describe, expect, test } from "vitest";
import { appliedTo, projectOf, type Texts } from "../testing/test-project.ts";
import { detect } from "./detect.ts";
import { planInit } from "./init.ts";
import { layoutOf } from "./layout.ts";
import { nextSteps } from "./next-steps.ts";

const json = (value: object) => JSON.stringify(value, null, 2);
const REMIX = { "package.json": json({ dependencies: { "@remix-run/node": "2" } }), "tsconfig.json": "{}" };
const ROUTER = { "package.json": json({ dependencies: { "@react-router/dev": "7" } }), "tsconfig.json": "{}" };

function planned(texts: Texts) {
  const project = projectOf(texts);
  const setup = detect(project);
  const layout = layoutOf(project, setup);
  const plan = planInit(project, { setup, layout, version: "1.2.3" });
  const after = appliedTo(texts, plan);
  const paths = plan.changes.map(({ path }) => path).filter((path) => path.includes("/"));
  return { after, paths, route: layout.route, remarks: plan.remarks, steps: nextSteps(project, setup, { layout, plan }) };
}

const VITE = (options: string) =>
  `import { vitePlugin as remix } from "@remix-run/dev";\nexport default { plugins: [remix(${options})] };\n`;

describe.each<[what: string, texts: Texts, directory: string]>([
  ["remix.config.js", { ...REMIX, "remix.config.js": 'module.exports = { appDirectory: "./src/" };' }, "src"],
  ["vite.config.ts", { ...REMIX, "vite.config.ts": VITE("{ appDirectory: 'web/app', ssr: true }") }, "web/app"],
  [
    "Vite's, which counts more",
    { ...REMIX, "vite.config.mts": VITE('{ appDirectory: "a" }'), "remix.config.js": 'exports.appDirectory = "b"' },
    "a",
  ],
  ["a constant", { ...REMIX, "vite.config.ts": `const appDirectory = "site"\n${VITE("{ appDirectory }")}` }, "site"],
  [
    "Vite's without a word of it",
    { ...REMIX, "vite.config.ts": VITE(""), "remix.config.mjs": 'export const appDirectory = "b"\nexport const x = 1' },
    "b",
  ],
  [
    "react-router.config.ts",
    { ...ROUTER, "react-router.config.ts": 'export default { "appDirectory": `src` } satisfies Config;' },
    "src",
  ],
  ["React Router's, whatever Vite's says", { ...ROUTER, "vite.config.ts": VITE('{ appDirectory: "a" }') }, "app"],
  ["a comment", { ...ROUTER, "react-router.config.ts": '// appDirectory: "src"\nexport default {};' }, "app"],
])("%s", (_what, texts, directory) => {
  test(`has everything written to ${directory}, and a second time there is nothing to do`, () => {
    const { paths, route, remarks, after } = planned(texts);
    expect(route).toBe(`${directory}/routes/api.trigger.ts`);
    expect(paths).toEqual(["client", "example", "index"].map((name) => `${directory}/holdfast/${name}.ts`).concat(route));
    expect(after[route]).toContain('from "../holdfast"');
    expect(remarks.filter(({ message }) => message.includes("appDirectory"))).toEqual([]);
    expect(planned(after).paths).toEqual([]);
  });
});

test("the list of routes is the one in that folder", () => {
  const routes = 'import { index } from "@react-router/dev/routes";\n\nexport default [index("home.tsx")];\n';
  const settings = { "react-router.config.js": 'export default { appDirectory: "src/app" };' };
  const { after } = planned({ ...ROUTER, ...settings, "src/app/routes.ts": routes, "app/routes.ts": routes });
  expect(after["src/app/routes.ts"]).toContain('[index("home.tsx"), route("api/trigger", "routes/api.trigger.ts")]');
  expect(after["app/routes.ts"]).toBe(routes);
  const none = planned({ ...ROUTER, ...settings, "src/app/routes.ts": "export default made();" });
  expect(none.remarks).toMatchObject([{ path: "src/app/routes.ts", message: expect.stringContaining("add the route") }]);
});

test.each([
  "{ appDirectory: folder() }",
  '{ appDirectory: "../shared/app" }',
  '{ appDirectory: "a" + b }',
  '{ appDirectory: dev ? "a" : "b" }',
  "{ appDirectory }",
])("what is not to be read off the settings is told: %s", (options) => {
  const { route, remarks } = planned({ ...REMIX, "vite.config.ts": VITE(options) });
  expect(route).toBe("app/routes/api.trigger.ts");
  const message = expect.stringContaining("appDirectory is no plain text inside the project: move what is written to app/ there");
  expect(remarks).toEqual([{ path: "vite.config.ts", message }]);
});
