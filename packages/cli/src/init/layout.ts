// Room: init. Where each file goes, for each framework. Called by init.ts. Promise: pure; paths are from the project's root.
import { posix } from "node:path";
import type { Project } from "../project/project.ts";
import type { Setup } from "./detect.ts";
import { appId } from "./detect.ts";
import { clientText, exampleText, indexText, MOUNTED, type RouteKind, routeText, SERVERS, serverText } from "./templates.ts";

export interface NewFile {
  path: string;
  text: string;
}

export interface Layout {
  /** Client, example, index and route. */
  files: NewFile[];
  /** What serves the jobs: "app/api/trigger/route.ts". */
  route: string;
  /** For frameworks whose server is the user's own program: a server to write where there is none. */
  server: NewFile | undefined;
  /** The line to add to a server of the user's where init does not dare to. */
  byHand: string;
}

/** Frameworks whose server the user writes. */
const OWN_SERVER = new Set(["express", "fastify", "hono", "node"] as const);
export type OwnServer = typeof OWN_SERVER extends Set<infer Name> ? Name : never;
export const hasOwnServer = (framework: Setup["framework"]): framework is OwnServer => OWN_SERVER.has(framework as OwnServer);

export function layoutOf(project: Project, setup: Setup): Layout {
  const kind = routeKind(project, setup);
  const folder = folderOf(setup);
  const at = (name: string) => `${folder}/${name}.${setup.ending}`;
  const route = routePath(kind, { ...setup, folder });
  const near = (name: string) => `./${name}${setup.importEnding}`;
  const { framework, src, ending } = setup;
  const own = framework === "node" ? `${folder}/server.${ending}` : `${src}server.${ending}`;
  const server = hasOwnServer(framework) ? own : undefined;
  return {
    route,
    byHand: `In your server, right behind the line that makes the app, before body parsers: ${mountLine(setup)}, with \`${MOUNTED}\` from ${route}.`,
    files: [
      { path: at("client"), text: clientText(appId(project), setup) },
      { path: at("example"), text: exampleText(near("client"), setup) },
      { path: at("index"), text: indexText({ client: near("client"), example: near("example") }, setup) },
      { path: route, text: routeText(kind, specifier(route, at("index"), setup), setup) },
    ],
    server:
      server && hasOwnServer(framework)
        ? { path: server, text: serverText(framework, specifier(server, route, setup), setup) }
        : undefined,
  };
}

const mountLine = ({ framework }: Setup): string => (hasOwnServer(framework) ? `\`${SERVERS[framework].mounted}\`` : "");

function routeKind(project: Project, { framework }: Setup): RouteKind {
  if (framework !== "next") return framework;
  const has = (folder: string) =>
    project.paths.some((path) => path.startsWith(`${folder}/`) || path.startsWith(`src/${folder}/`));
  return has("pages") && !has("app") ? "next-pages" : "next-app";
}

function folderOf({ framework, src, appDirectory }: Setup): string {
  if (framework === "remix" || framework === "react-router") return posix.join(appDirectory.path, "holdfast");
  // SvelteKit keeps what is in here out of browsers.
  if (framework === "sveltekit") return "src/lib/server/holdfast";
  return framework === "astro" ? "src/holdfast" : `${src}holdfast`;
}

function routePath(kind: RouteKind, { src, ending, folder, appDirectory }: Setup & { folder: string }): string {
  const own = `${folder}/route.${ending}`;
  const flat = posix.join(appDirectory.path, `routes/api.trigger.${ending}`);
  const paths: Record<RouteKind, string> = {
    "next-app": `${src}app/api/trigger/route.${ending}`,
    "next-pages": `${src}pages/api/trigger.${ending}`,
    remix: flat,
    "react-router": flat,
    sveltekit: `src/routes/api/trigger/+server.${ending}`,
    astro: `src/pages/api/trigger.${ending}`,
    express: own,
    fastify: own,
    hono: own,
    node: own,
  };
  return paths[kind];
}

/** How one file imports another. A bundler finds a folder's index by itself. */
export function specifier(from: string, to: string, { importEnding }: Pick<Setup, "importEnding">): string {
  const bare = to.replace(/\.[jt]s$/, "");
  const within = posix.dirname(from) === posix.dirname(to);
  const short = importEnding === "" && !within ? bare.replace(/\/index$/, "") : bare;
  const relative = posix.relative(posix.dirname(from), short);
  return `${relative.startsWith(".") ? "" : "./"}${relative || "."}${importEnding}`;
}
