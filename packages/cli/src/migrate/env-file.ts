// Room: migrate. `.env` files: the address of the service that was shut down, and, if wished, the names. Called by migrate.ts.
// Promise: comments, order, quotes and all other lines stay.

const GONE = /https?:\/\/(?:api|cloud|app)\.trigger\.dev\/?/;
const HERE = "http://localhost:3040";

/** @param variables names as they become */
export function migrateEnvFile(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(
    /^([ \t]*(?:export[ \t]+)?)([A-Z0-9_]+)([ \t]*=.*)$/gm,
    (_line, before: string, name: string, rest: string) => {
      const pointed = name.endsWith("TRIGGER_API_URL") ? rest.replace(GONE, HERE) : rest;
      return `${before}${variables.get(name) ?? name}${pointed}`;
    },
  );
}
