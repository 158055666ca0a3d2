// Room: init. The texts init writes: client, example, index, one route for each framework, a server where there is none. Called by layout.ts.
// Promise: in strict TypeScript each compiles in the framework it is for, and without its types it is plain JavaScript.
import type { Setup } from "./detect.ts";

type Written = Pick<Setup, "framework" | "typescript" | "modules" | "oldAstro">;

interface Options {
  head: string;
  options: string;
}
const NO_OPTIONS: Options = { head: "", options: "" };
const SVELTEKIT: Options = {
  head: 'import { env } from "$env/dynamic/private";\n',
  options: ", apiKey: env.HOLDFAST_API_KEY, apiUrl: env.HOLDFAST_API_URL",
};
const ASTRO: Options = {
  head: 'import { getSecret } from "astro:env/server";\n',
  options: ', apiKey: getSecret("HOLDFAST_API_KEY"), apiUrl: getSecret("HOLDFAST_API_URL")',
};
const OLD_ASTRO: Options = {
  head: "",
  options: ", apiKey: import.meta.env.HOLDFAST_API_KEY, apiUrl: import.meta.env.HOLDFAST_API_URL",
};

/** Where the client's key and address come from; Vite keeps `.env` from `process.env`, and what is read off `import.meta.env` would be written into the build. */
function optionsOf({ framework, oldAstro }: Written): Options {
  if (framework === "sveltekit") return SVELTEKIT;
  if (framework !== "astro") return NO_OPTIONS;
  return oldAstro ? OLD_ASTRO : ASTRO;
}

export function clientText(id: string, setup: Written): string {
  const { head, options } = optionsOf(setup);
  return `${head}${imported(setup, "TriggerClient", "@holdfast/sdk")}
// Server and key: HOLDFAST_API_URL and HOLDFAST_API_KEY. \`holdfast dev\` sets both for the program it starts.
${exported(setup, "client", `new TriggerClient({ id: ${JSON.stringify(id)}${options} })`)}`;
}

export function exampleText(client: string, setup: Written): string {
  const payload = setup.typescript ? "payload: { name?: string }" : "payload";
  return `${imported(setup, "eventTrigger", "@holdfast/sdk")}${imported(setup, "client", client)}
// A first job. Start it: npx holdfast send hello --payload '{"name":"Ada"}'
client.defineJob({
  id: "hello",
  name: "Say hello",
  version: "1.0.0",
  trigger: eventTrigger({ name: "hello" }),
  run: async (${payload}, io) => {
    const greeting = await io.runTask("greet", async () => \`Hello, \${payload.name ?? "world"}!\`);
    await io.logger.info(greeting);
    return { greeting };
  },
});
`;
}

export function indexText({ client, example }: { client: string; example: string }, setup: Written): string {
  const words = "// The client with all its jobs: import each file that defines jobs here.\n";
  return setup.modules
    ? `${words}import "${example}";\n\nexport { client } from "${client}";\n`
    : `${words}require("${example}");\n\nmodule.exports = require("${client}");\n`;
}

/** The file that serves the client, as its framework wants it. */
export function routeText(kind: RouteKind, index: string, setup: Written): string {
  const [name, from] = ADAPTERS[kind];
  return `${imported(setup, name, `@holdfast/sdk/${from}`)}${imported(setup, "client", index)}\n${ROUTES[kind](setup)}`;
}

export type RouteKind = "next-app" | "next-pages" | Exclude<Setup["framework"], "next">;

const ADAPTERS: Record<RouteKind, readonly [name: string, from: string]> = {
  "next-app": ["createAppRoute", "next"],
  "next-pages": ["createPagesRoute", "next"],
  express: ["createMiddleware", "express"],
  fastify: ["holdfast", "fastify"],
  hono: ["createMiddleware", "hono"],
  remix: ["createRemixRoute", "remix"],
  "react-router": ["createRemixRoute", "remix"],
  sveltekit: ["createSvelteRoute", "sveltekit"],
  astro: ["createAstroRoute", "astro"],
  node: ["createNodeHandler", "node"],
};

/** What the server's file mounts. */
export const MOUNTED = "holdfastRoute";

/** Its compiler takes both out of what browsers get, and cannot do so with `export const { action, loader }`. */
const REMIX = `const route = createRemixRoute(client);
export const action = route.action;
export const loader = route.loader;
`;

const ROUTES: Record<RouteKind, (setup: Written) => string> = {
  "next-app": () => `export const { GET, HEAD, POST } = createAppRoute(client);
export const dynamic = "force-dynamic";
export const runtime = "nodejs";
`,
  "next-pages": () => `// Next.js reads this without running it: the body must reach Holdfast as it came.
export const config = { api: { bodyParser: false, externalResolver: true } };

export default createPagesRoute(client).handler;
`,
  express: (setup) => exported(setup, MOUNTED, "createMiddleware(client)"),
  fastify: (setup) => exported(setup, MOUNTED, "holdfast(client)"),
  hono: (setup) => exported(setup, MOUNTED, "createMiddleware(client)"),
  remix: () => REMIX,
  "react-router": () => REMIX,
  sveltekit: () => "export const { GET, HEAD, POST } = createSvelteRoute(client);\n",
  astro: () => `export const prerender = false;
export const { GET, HEAD, POST } = createAstroRoute(client);
`,
  node: (setup) => exported(setup, MOUNTED, "createNodeHandler(client)"),
};

/** How each server's app is made, gets the route, and listens. */
export const SERVERS = {
  express: {
    imports: [["express", "express"]],
    made: "express()",
    mounted: `app.use(${MOUNTED})`,
    listening: "app.listen(port, told)",
  },
  fastify: {
    imports: [["Fastify", "fastify"]],
    made: "Fastify()",
    mounted: `app.register(${MOUNTED})`,
    listening: "app.listen({ port }).then(told)",
  },
  hono: {
    imports: [
      ["{ serve }", "@hono/node-server"],
      ["{ Hono }", "hono"],
    ],
    made: "new Hono()",
    mounted: `app.use(${MOUNTED})`,
    listening: "serve({ fetch: app.fetch, port }, told)",
  },
  node: {
    imports: [["{ createServer }", "node:http"]],
    made: `createServer(${MOUNTED})`,
    mounted: undefined,
    listening: "app.listen(port, told)",
  },
} as const;

/** A whole server, for a project that has none. */
export function serverText(framework: keyof typeof SERVERS, route: string, setup: Written): string {
  const { imports, made, mounted, listening } = SERVERS[framework];
  const heads = imports.map(([names, from]) => importLine(setup, names, from)).join("");
  return `${heads}${imported(setup, MOUNTED, route)}
const port = Number(process.env.PORT ?? 3000);
const told = () => console.log(\`Jobs are served at http://localhost:\${port}/api/trigger\`);

const app = ${made};
${mounted ? `${mounted};\n` : ""}${listening};
`;
}

const importLine = ({ modules }: Written, names: string, from: string): string =>
  modules ? `import ${names} from "${from}";\n` : `const ${names} = require("${from}");\n`;

/** One line that imports a name. */
export const imported = (setup: Written, name: string, from: string): string => importLine(setup, `{ ${name} }`, from);

const exported = ({ modules }: Written, name: string, value: string): string =>
  modules ? `export const ${name} = ${value};\n` : `exports.${name} = ${value};\n`;
