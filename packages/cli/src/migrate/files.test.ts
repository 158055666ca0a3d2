// `holdfast migrate` on what is neither TypeScript nor package.json: components, YAML, Dockerfiles, `.env` files, JSON. What becomes of each is written out.
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { run } from "../program.ts";
import { remarkText } from "../project/propose.ts";
import { appliedTo, projectOf, type Texts, writeProject } from "../testing/test-project.ts";
import { testWorld } from "../testing/test-world.ts";
import { type MigrateFlags, planMigrate } from "./migrate.ts";

const undo: (() => unknown)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

const MANIFEST = '{ "dependencies": { "@trigger.dev/sdk": "2.3.19" } }';

/** One file of a project, after it, and what a person is told of it; a second time there is nothing to do. */
function migrated(path: string, text: string, flags: MigrateFlags = { renameEnv: true }) {
  const texts: Texts = { "package.json": MANIFEST, [path]: text };
  const plan = planMigrate(projectOf(texts), flags, "1.2.3");
  const after = appliedTo(texts, plan);
  expect(planMigrate(projectOf(after), flags, "1.2.3").changes, "a second time").toEqual([]);
  return { text: after[path], told: plan.remarks.filter((remark) => remark.path === path).map(remarkText) };
}

/** «a→b» is `a` before and `b` after; all else stays. */
function sides(both: string): { before: string; after: string } {
  const side = (at: 0 | 1) => both.replace(/«(.*?)→(.*?)»/g, (_both, before, after) => [before, after][at]);
  return { before: side(0), after: side(1) };
}

describe("components", () => {
  test.each([
    [
      "src/App.vue",
      `<!-- <script>import "@trigger.dev/react"</script> -->
<docs>
<script>import "@trigger.dev/react";</script>
</docs>
<template lang="html">
  <template #slot="{ a }"><p title="a > b">import "@trigger.dev/none"</p></template>
  <pre>&lt;script&gt; import "x" &lt;/script&gt;</pre>
</template>
<script setup lang="ts" generic="T extends Record<string, number>">
// import "@trigger.dev/react"
import { useRunDetails } from "«@trigger.dev/react→@trigger.dev/sdk/react»";
const key = import.meta.env.VITE_«TRIGGER→HOLDFAST»_PUBLIC_API_KEY;
const text = '"@trigger.dev/react"';
</script>
<script>
export * from '«@trigger.dev/react→@trigger.dev/sdk/react»'
</script>
<style>
/* @import "@trigger.dev/react"; */
</style>
`,
      [
        "src/App.vue:1: names @trigger.dev, and",
        "src/App.vue:3: names @trigger.dev, and",
        "src/App.vue:6: names @trigger.dev, and",
        "src/App.vue:19: names @trigger.dev, and",
      ],
    ],
    [
      "src/routes/+page.svelte",
      `<script context="module" lang="ts">
  import type { RunStatus } from "«@trigger.dev/react→@trigger.dev/sdk/react»";
</script>
<script type="application/ld+json">{ "import": "@trigger.dev/none" }</script>
<script lang=ts>
  const later = () => import("«@trigger.dev/sveltekit→@trigger.dev/sdk/sveltekit»");
</script>
{#if a < b && c > d}<p>it's "@trigger.dev/none"</p>{/if}
<svelte:head><title>x</title></svelte:head>
`,
      ["src/routes/+page.svelte:4: names @trigger.dev, and", "src/routes/+page.svelte:8: names @trigger.dev, and"],
    ],
    [
      "src/pages/index.astro",
      `---
import { createAstroRoute } from "«@trigger.dev/astro→@trigger.dev/sdk/astro»";
const key = import.meta.env.«TRIGGER→HOLDFAST»_API_KEY;
---
<p>--- import "@trigger.dev/none" {import.meta.env.TRIGGER_API_URL}</p>
<script>
  import { x } from "«@trigger.dev/react→@trigger.dev/sdk/react»";
</script>
`,
      ["src/pages/index.astro:5: names @trigger.dev, and"],
    ],
  ])("%s: programs only", (path, both, told) => {
    const { before, after } = sides(both);
    const result = migrated(path, before);
    expect(result.text).toBe(after);
    expect(result.told.map((remark) => remark.split(" is of")[0])).toEqual(told);
  });

  test("a block that is never closed, and an empty file, stay", () => {
    for (const text of [
      '<script>\nimport "@trigger.dev/react";',
      '---\nimport "@trigger.dev/astro";\n',
      "",
      "<!-- @trigger.dev/react",
      '<script src="@trigger.dev/react"/>',
    ])
      for (const path of ["a.vue", "a.svelte", "a.astro"]) expect(migrated(path, text).text).toBe(text);
  });
});

describe("YAML", () => {
  test("docker-compose: variables; the image of v2's server and its address are told", () => {
    const { before, after } = sides(
      `# TRIGGER_API_KEY: in a comment
services:
  app:
    image: "example/app#TRIGGER_API_KEY"  # TRIGGER_API_KEY=x
    environment:
      «TRIGGER→HOLDFAST»_API_KEY: \${«TRIGGER→HOLDFAST»_API_KEY:-tr_dev_x}   # it's a TRIGGER_API_KEY
      - "«TRIGGER→HOLDFAST»_API_URL=https://api.trigger.dev"
      - NEXT_PUBLIC_«TRIGGER→HOLDFAST»_PUBLIC_API_KEY
      MY_TRIGGER_API_KEY: x
      TRIGGER_SECRET_KEY: of v3
    env_file: ./TRIGGER_API_KEY.env
    labels: { note: "TRIGGER_API_KEY is needed", which: «TRIGGER→HOLDFAST»_API_KEY }
    build: { args: [«TRIGGER→HOLDFAST»_API_URL, "«TRIGGER→HOLDFAST»_API_KEY=x"] }
    command: sh -c "echo $«TRIGGER→HOLDFAST»_API_URL; npx @trigger.dev/cli@latest dev"
    secrets: [TRIGGER_API_KEY_FILE]
  platform:
    image: ghcr.io/triggerdotdev/trigger.dev:v2.3.0
`.replace(" => HOLDFAST", ""),
    );
    const result = migrated("docker-compose.yml", before);
    expect(result.text).toBe(after);
    expect(result.told).toEqual([
      "docker-compose.yml:7: https://api.trigger.dev was shut down: put the address of your server here",
      "docker-compose.yml:14: calls v2's CLI: here it is `holdfast dev --app-url` and `holdfast send` (docs/cli.md)",
      "docker-compose.yml:17: the image ghcr.io/triggerdotdev/trigger.dev:v2.3.0 is v2's own server: in its place stands `holdfast start`",
    ]);
    const kept = migrated("docker-compose.yml", before, {});
    expect(kept).toEqual({ text: before, told: result.told });
  });

  test("GitHub workflows: the variable, and not the secret it is taken from", () => {
    const { before, after } = sides(`on:
  workflow_call:
    secrets:
      TRIGGER_API_KEY:
        required: true
env:
  «TRIGGER→HOLDFAST»_API_URL: \${{ vars.TRIGGER_API_URL }}
jobs:
  test:
    if: env.«TRIGGER→HOLDFAST»_API_URL != ''
    secrets:
      TRIGGER_API_KEY: \${{ secrets.TRIGGER_API_KEY }}
    steps:
      - run: |
          # TRIGGER_API_KEY
          export «TRIGGER→HOLDFAST»_API_KEY="$«TRIGGER→HOLDFAST»_API_KEY"
          docker run -e «TRIGGER→HOLDFAST»_API_KEY app
          echo "TRIGGER_API_KEY is set"
      - run: npm test
        env:
          «TRIGGER→HOLDFAST»_API_KEY: \${{ secrets.TRIGGER_API_KEY }}
`);
    expect(migrated(".github/workflows/test.yml", before)).toEqual({ text: after, told: [] });
  });

  test("Kubernetes: names of keys in secrets stay, and are told where apps may get all of them", () => {
    const { before, after } = sides(`kind: Secret
stringData:
  TRIGGER_API_KEY: tr_prod_x
---
kind: Deployment
spec:
  containers:
    - env:
        - name: «TRIGGER→HOLDFAST»_API_KEY
          valueFrom:
            secretKeyRef:
              name: trigger
              key: TRIGGER_API_KEY
        - { name: «TRIGGER→HOLDFAST»_API_URL, valueFrom: { configMapKeyRef: { name: x, key: TRIGGER_API_URL } } }
`);
    const { text, told } = migrated("k8s/app.yaml", before);
    expect(text).toBe(after);
    expect(told).toEqual([
      "k8s/app.yaml:3: TRIGGER_API_KEY stays: it names something kept, which may be given to the app as HOLDFAST_API_KEY",
    ]);
  });
});

test.each([
  [
    "Dockerfile.web",
    `# ARG TRIGGER_API_KEY
FROM ghcr.io/example/node:20
ARG «TRIGGER→HOLDFAST»_API_KEY
ARG NEXT_PUBLIC_«TRIGGER→HOLDFAST»_API_URL=http://localhost
ENV «TRIGGER→HOLDFAST»_API_KEY=$«TRIGGER→HOLDFAST»_API_KEY A=b
ENV «TRIGGER→HOLDFAST»_API_URL http://x
LABEL about="needs TRIGGER_API_KEY"
RUN --mount=type=secret,id=TRIGGER_API_KEY,env=«TRIGGER→HOLDFAST»_API_KEY cat /run/secrets/TRIGGER_API_KEY
`,
  ],
  [
    "fly.toml",
    `[env] # TRIGGER_API_KEY = "x"
  «TRIGGER→HOLDFAST»_API_URL = "http://x"
`,
  ],
  [
    "deploy.sh",
    `[ -z "\${«TRIGGER→HOLDFAST»_API_KEY-}" ] && «TRIGGER→HOLDFAST»_API_KEY=x node . "#TRIGGER_API_KEY" #TRIGGER_API_KEY=\n`,
  ],
  [
    "turbo.json",
    `{
  // "TRIGGER_API_KEY"
  "globalEnv": ["«TRIGGER→HOLDFAST»_API_KEY", "!VITE_TRIGGER_API_URL", "MY_TRIGGER_API_KEY"],
  "command": "echo \\"$«TRIGGER→HOLDFAST»_API_KEY\\" && «TRIGGER→HOLDFAST»_API_URL=x y",
  "remoteEnv": { "«TRIGGER→HOLDFAST»_API_KEY": "\${localEnv:«TRIGGER→HOLDFAST»_API_KEY}" },
  "note": "TRIGGER_API_KEY is needed"
}
`,
  ],
])("%s: variables where they are ones, only if wished", (path, both) => {
  const { before, after } = sides(both);
  expect(migrated(path, before)).toEqual({ text: after, told: [] });
  expect(migrated(path, before, {})).toEqual({ text: before, told: [] });
});

test("scripts of package.json: variables too", () => {
  const script = (name: string) =>
    `{ "scripts": { "dev": "${name}_API_URL=http://x next dev --key $${name}_API_KEY" }, "dependencies": { "@trigger.dev/sdk": "2.3.19" } }`;
  const { text } = migrated("apps/web/package.json", script("TRIGGER"));
  expect(text).toBe(script("HOLDFAST").replace("2.3.19", "npm:@holdfast/sdk@^1.2.3"));
});

describe(".env files", () => {
  test.each(["apps/web/.env", ".env-ci", "prod.env", ".env.local", "env.example"])("%s", (path) => {
    const { before, after } = sides(`«TRIGGER→HOLDFAST»_API_KEY="tr_dev_x"
NEXT_PUBLIC_«TRIGGER→HOLDFAST»_API_URL=$«TRIGGER→HOLDFAST»_API_URL/x # TRIGGER_API_URL
#TRIGGER_API_URL=x
`);
    expect(migrated(path, before)).toEqual({ text: after, told: [] });
  });

  test("a name that is there under both names stays, and is told", () => {
    const text = "HOLDFAST_API_KEY=tr_dev_new\nTRIGGER_API_KEY=tr_dev_old\n";
    expect(migrated(".env", text)).toEqual({
      text,
      told: [".env:2: TRIGGER_API_KEY stays, since HOLDFAST_API_KEY is there, too: take out the one that is not meant"],
    });
  });
});

test.each([".env", "a.yml", "Dockerfile", "a.vue", "a.ts", "turbo.json"])(
  "%s: keeps its byte order mark, its line ends, and no end of the last line",
  (path) => {
    const line = {
      ".env": "X_API_KEY=1",
      "a.yml": "X_API_KEY: 1",
      Dockerfile: "ARG X_API_KEY",
      "a.vue": "<script>\r\nconst a = env.X_API_KEY;\r\n</script>",
      "a.ts": "const a = env.X_API_KEY;",
      "turbo.json": '{ "env": ["X_API_KEY"] }',
    }[path] as string;
    const text = (name: string) => `\uFEFF${line}\r\n\r\n${line}`.replaceAll("X", name);
    expect(migrated(path, text("TRIGGER")).text).toBe(text("HOLDFAST"));
  },
);

test("whatever is in a file: a second time there is nothing to do, and lines stay lines", () => {
  const piece = fc.constantFrom(
    ...[
      "TRIGGER_API_KEY",
      "HOLDFAST_API_KEY",
      "VITE_TRIGGER_API_URL",
      "@trigger.dev/react",
      "@trigger.dev/sdk",
      "import ",
      "from ",
      "x",
    ],
    ...[
      "<script>",
      '<script lang="ts">',
      "</script>",
      "<template>",
      "</template>",
      "<!--",
      "-->",
      "---",
      "secrets:",
      "secretKeyRef:",
    ],
    ...[
      "\n",
      "\r\n",
      "\uFEFF",
      " ",
      "  ",
      "- ",
      ": ",
      "=",
      "#",
      " # ",
      "'",
      '"',
      "`",
      "${",
      "$",
      "{",
      "}",
      "[",
      "]",
      ",",
      "<",
      ">",
      "/",
      "\\",
      "env.",
    ],
  );
  const paths = [
    "a.vue",
    "a.svelte",
    "a.astro",
    "a.yml",
    "Dockerfile",
    "a.toml",
    "a.sh",
    ".env",
    "a.json",
    "a.ts",
    "a.tsx",
    "a.mdx",
  ];
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.array(piece, { maxLength: 25 }), (path, pieces) => {
      const text = pieces.join("");
      const now = migrated(path, text).text ?? "";
      expect(now.split("\n")).toHaveLength(text.split("\n").length);
      expect(now.replaceAll("HOLDFAST", "TRIGGER").replaceAll("@trigger.dev/sdk/react", "@trigger.dev/react")).toBe(
        text.replaceAll("HOLDFAST", "TRIGGER").replaceAll("@trigger.dev/sdk/react", "@trigger.dev/react"),
      );
    }),
    { numRuns: 1000 },
  );
});

test("what is no text, is too large, or lies behind a link is left alone; hidden folders of tools, too", async () => {
  const world = testWorld();
  undo.push(world.remove);
  const name = 'import { x } from "@trigger.dev/express";\n';
  const files: Record<string, Buffer | string> = {
    "package.json": MANIFEST,
    "latin.ts": Buffer.from(`${name}const a = "é";`, "latin1"),
    "wide.env": Buffer.from("TRIGGER_API_KEY=1\n", "utf16le"),
    "large.ts": name + " ".repeat(2 * 1024 * 1024),
    "picture.json": Buffer.from([0, 1, 2, 255]),
    ".next/server.ts": name,
    ".github/workflows/a.yml": "env:\n  TRIGGER_API_KEY: x\n",
    "a.ts": name,
  };
  writeProject(world.cwd, {});
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(world.cwd, path, ".."), { recursive: true });
    writeFileSync(join(world.cwd, path), content);
  }
  const outside = testWorld();
  undo.push(outside.remove);
  writeProject(outside.cwd, { "shared/b.ts": name, "c.ts": name });
  symlinkSync(join(outside.cwd, "shared"), join(world.cwd, "shared"));
  symlinkSync(join(outside.cwd, "c.ts"), join(world.cwd, "c.ts"));
  expect(await run(["migrate", "--yes", "--rename-env", "--json"], world)).toBe(0);
  const { changes, remarks } = JSON.parse(world.printed.out);
  expect(changes.map(({ path }: { path: string }) => path)).toEqual([".github/workflows/a.yml", "a.ts", "package.json"]);
  expect(remarks.map(remarkText)).toEqual([
    "large.ts: has more than 2 MB, so it was left alone",
    "latin.ts: is not UTF-8, so it was left alone",
    "wide.env: is not UTF-8, so it was left alone",
  ]);
  for (const [path, content] of Object.entries(files))
    if (!changes.some((change: { path: string }) => change.path === path))
      expect(readFileSync(join(world.cwd, path)).equals(Buffer.from(content as string)), path).toBe(true);
  expect(readFileSync(join(outside.cwd, "shared/b.ts"), "utf8") + readFileSync(join(outside.cwd, "c.ts"), "utf8")).toBe(
    name + name,
  );
});
