import { readFileSync } from "node:fs";
import { ERROR_STATUS } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { allRoutes } from "./routes/all.ts";

const page = (name: string): string => readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), "utf8");

describe("docs/errors.md", () => {
  it("has a section for every code, with its status, and no other", () => {
    const sections = page("errors.md").split(/^## /m).slice(1);
    const documented = sections.map((section) => [section.split("\n")[0], Number(/Status (\d+)/.exec(section)?.[1])]);
    expect(documented).toEqual(Object.entries(ERROR_STATUS));
  });
});

describe("docs/protocol.md", () => {
  it("lists every route of the v2 wire, and no other", () => {
    const documented = [...page("protocol.md").matchAll(/^\| `((?:GET|POST|PUT|DELETE) \/api\/[^`]+)`/gm)].map(
      ([, route]) => route,
    );
    const routes = allRoutes({} as Parameters<typeof allRoutes>[0]).filter(({ tag }) => tag === "v2");
    expect(documented.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
  });
});
