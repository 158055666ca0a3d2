// Room: http. The dashboard's files, with headers that keep its pages from loading or running anything foreign. Called by app.ts for every path no route took.
// Promises: only files that were in the folder at start are ever answered, so no path can reach outside it.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { gzipSync } from "node:zlib";
import type { Context } from "hono";
import type { Rooms } from "./rooms.ts";

const SECURITY = {
  "content-security-policy":
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
};
const PACKABLE = new Set([".html", ".js", ".css", ".json", ".svg", ".txt", ".webmanifest"]);
/** Vite puts what it names by content here. */
const HASHED = /^\/assets\//;
/** What browsers and robots ask every site for (/favicon.ico, /robots.txt): no page of ours is named like it. */
const OF_A_SITE = /^\/[^/]+\.[a-z]{2,5}$/;

interface File {
  path: string;
  type: string;
  bytes: Buffer<ArrayBuffer>;
  packed: Buffer<ArrayBuffer> | null;
}

const NOT_BUILT = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Holdfast</title>
<body style="font:16px/1.5 system-ui;max-width:36rem;margin:4rem auto;padding:0 1rem">
<h1>The dashboard is not built</h1>
<p>This server runs, and its API answers under <code>/api/v1</code>. To see the dashboard, run <code>npm run build</code> in the checkout
and start again.</p></body></html>`;

/** Answers a path: a file, or the dashboard's page for every path that is not one (ids in them may hold dots, so an ending proves nothing). */
export function dashboard(rooms: Rooms): (context: Context, path: string) => Response {
  const files = load(rooms.dashboardDir);
  return (context, path) => {
    if (context.req.method !== "GET" && context.req.method !== "HEAD")
      return new Response(null, { status: 405, headers: { allow: "GET, HEAD" } });
    const isPage = !HASHED.test(path) && !OF_A_SITE.test(path);
    const file = files.get(path) ?? (isPage ? files.get("/index.html") : undefined);
    if (file) return fileResponse(context, file);
    const headers = { ...SECURITY, "content-type": "text/html; charset=utf-8", "cache-control": "no-store" };
    return files.has("/index.html")
      ? new Response("Not found", { status: 404, headers: { ...SECURITY, "content-type": "text/plain; charset=utf-8" } })
      : new Response(NOT_BUILT, { status: 404, headers });
  };
}

function fileResponse(context: Context, file: File): Response {
  const packed = file.packed && /\bgzip\b/.test(context.req.header("accept-encoding") ?? "") ? file.packed : null;
  const caching = HASHED.test(file.path) ? "public, max-age=31536000, immutable" : "no-cache";
  const encoding = packed ? { "content-encoding": "gzip" } : {};
  const headers = { ...SECURITY, "content-type": file.type, "cache-control": caching, vary: "accept-encoding", ...encoding };
  return new Response(packed ?? file.bytes, { headers });
}

function load(directory: string | null): Map<string, File> {
  if (directory === null || !statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return new Map();
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" }).filter((name) =>
    statSync(join(directory, name)).isFile(),
  );
  return new Map(names.map((name) => [urlPath(directory, name), fileOf(directory, name)]));
}

function urlPath(directory: string, name: string): string {
  return `/${relative(directory, join(directory, name)).split(sep).join("/")}`;
}

function fileOf(directory: string, name: string): File {
  const bytes = Buffer.from(readFileSync(join(directory, name)));
  const extension = extname(name);
  const packed = PACKABLE.has(extension) && bytes.length > 1024 ? Buffer.from(gzipSync(bytes)) : null;
  return { path: urlPath(directory, name), type: TYPES[extension] ?? "application/octet-stream", bytes, packed };
}
