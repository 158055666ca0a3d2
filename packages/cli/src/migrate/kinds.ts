// Room: migrate. As what a file of the project is read, by its name. Called by migrate.ts.
// Promise: pure; a file of no kind is neither read nor changed.

export type Kind = "manifest" | "source" | "component" | "env" | "json" | "lines" | "prose";

// The first that fits.
const KINDS: readonly (readonly [Kind | undefined, RegExp])[] = [
  ["manifest", /(?:^|\/)package\.json$/],
  [undefined, /(?:^|\/)(?:package-lock|npm-shrinkwrap)\.json$|lock\.ya?ml$|\.min\.[cm]?js$/],
  ["source", /\.[cm]?[jt]sx?$/],
  ["component", /\.(?:vue|svelte|astro)$/],
  ["lines", /(?:^|\/)\.envrc$/],
  ["env", /(?:^|\/)(?:\.env(?:[.-][\w.-]+)?|[\w.-]+\.env|env\.(?:example|sample|template))$/],
  ["json", /\.(?:json[5c]?|code-workspace)$|(?:^|\/)\.(?:eslint|babel|swc)rc$/],
  [
    "lines",
    /\.(?:ya?ml|toml|sh|bash|zsh|mk|dockerfile)$|(?:^|\/)(?:(?:Docker|Container|Proc)file(?:[.-][\w.-]+)?|Makefile|justfile)$/,
  ],
  ["prose", /\.mdx$/],
];

export function kindOf(path: string): Kind | undefined {
  return KINDS.find(([, names]) => names.test(path))?.[0];
}
