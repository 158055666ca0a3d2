// Room: main. Where the built dashboard is: beside the compiled server when it is installed, in its own package inside this repository.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

export function builtDashboard(): string | null {
  const candidates = ["../dashboard", "../../../dashboard/dist"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return candidates.find((path) => existsSync(`${path}/index.html`)) ?? null;
}
