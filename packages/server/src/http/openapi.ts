// Room: http. The OpenAPI 3.1 description of every route, made from the table the router is made from. Called by GET /openapi.json and by a test.
import { z } from "zod";
import type { Access, Route } from "./route.ts";

const ERROR = {
  type: "object",
  required: ["error", "message"],
  properties: { error: { type: "string" }, message: { type: "string" }, code: { type: "string" }, hint: { type: "string" } },
};
const SECURITY: Readonly<Record<Access, Record<string, string[]>[]>> = {
  open: [],
  machine: [{}, { session: [] }, { secretKey: [] }],
  secretKey: [{ secretKey: [] }],
  anyKey: [{ secretKey: [] }, { publicKey: [] }],
  environment: [{ session: [] }, { secretKey: [] }],
  server: [{ session: [] }, { secretKey: [] }],
  person: [{ session: [] }],
};

function parametersOf(route: Route): object[] {
  const inPath = [...route.path.matchAll(/:([a-zA-Z]+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(route.query ?? {}).map(([name, description]) => ({
    name,
    in: "query",
    description,
    schema: { type: "string" },
  }));
  return [...inPath, ...inQuery];
}

function operationOf(route: Route): object {
  const failure = {
    description: "What went wrong",
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  };
  const schema = route.body ? z.toJSONSchema(route.body, { unrepresentable: "any", io: "input" }) : null;
  const mediaType = route.bodyAs === "text" ? "text/plain" : "application/json";
  return {
    operationId: route.name,
    summary: route.summary,
    tags: [route.tag],
    security: SECURITY[route.access],
    parameters: parametersOf(route),
    ...(schema ? { requestBody: { required: true, content: { [mediaType]: { schema } } } } : {}),
    responses: { "200": { description: "Done" }, default: failure },
  };
}

/**
 * Describes the routes.
 *
 * @example openApiDocument(routes, "0.1.0").paths["/api/v1/runs/{id}"].get.operationId // "getRunV1"
 */
export function openApiDocument(routes: readonly Route[], version: string) {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.path.replace(/:([a-zA-Z]+)/g, "{$1}");
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Holdfast",
      version,
      description: "Durable background jobs. Endpoints' own URLs take any method and are not listed.",
    },
    paths,
    components: {
      schemas: { Error: ERROR },
      securitySchemes: {
        secretKey: { type: "http", scheme: "bearer", description: "An environment's secret key: tr_…" },
        publicKey: { type: "http", scheme: "bearer", description: "An environment's public key: pk_…" },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "holdfast",
          description: "A login; in dev everyone on this machine has one.",
        },
      },
    },
  };
}
