// Room: migrate. Scripts of package.json that call v2's CLI, as they read with ours. Called by manifest.ts.
// Promise: everything else in a script stays; a call that has no counterpart is left and remarked on.

// However it is started: npx, a package manager's own runner with its flags, or by its bin.
const RUNNER =
  /\b(?:npx|pnpx|bunx|pnpm dlx|yarn dlx|pnpm exec|yarn run|npm exec|npm x|yarn|bun x)\s+(?:(?:-y|--yes|--bun|--|(?:-p|--package)[\s=]\S+)\s+)*/;
const CLI = /(?:@trigger\.dev\/cli(?:@[\w.^~-]+)?|(?<![\w-])trigger-cli(?![\w-]))(?:\s+--(?=\s))?/;
const WORDS = /((?:\s+[^\s&|;"'()]+|\s+'[^']*')*)/;
const CALL = new RegExp(`(?:${RUNNER.source})?${CLI.source}${WORDS.source}`, "g");

export interface MigratedScript {
  text: string;
  /** Calls without a counterpart. */
  left: string[];
}

export function migrateScript(script: string): MigratedScript {
  const left: string[] = [];
  const text = script.replace(CALL, (call: string, words: string) => {
    const migrated = counterpart(words.trim().split(/\s+/).filter(Boolean));
    if (!migrated) left.push(call.trim());
    return migrated ?? call;
  });
  return { text, left };
}

function counterpart([command, ...words]: string[]): string | undefined {
  if (command === "dev") return devCall(words);
  if (command !== "send-event") return undefined;
  const { values } = read(words, SEND);
  if (!values.name) return undefined;
  const { name, payload, id } = values;
  return ["npx holdfast send", name, ...(payload ? ["--payload", payload] : []), ...(id ? ["--id", id] : [])].join(" ");
}

const SEND = { "-n": "name", "--name": "name", "-p": "payload", "--payload": "payload", "-i": "id", "--id": "id" };
const DEV = {
  ...{ "-p": "port", "--port": "port", "-H": "host", "--hostname": "host", "-h": "path", "--handler-path": "path" },
  ...{ "-e": "env", "--env-file": "env", "-i": "id", "--client-id": "id", "-t": "tunnel", "--tunnel": "tunnel" },
};

/** v2's CLI asked 3000 first; its tunnel is not needed, and `.env` files are read without being named. */
function devCall(words: string[]): string {
  const { values, flags } = read(words, DEV);
  const scheme = flags.some((flag) => flag === "-s" || flag === "--https") ? "https" : "http";
  const { host = "localhost", port = "3000", path = "/api/trigger" } = values;
  return `npx holdfast dev --app-url ${scheme}://${host}:${port}${path}`;
}

function read<Names extends string>(words: string[], known: Record<string, Names>) {
  const values: Partial<Record<Names, string>> = {};
  const flags: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const [flag = "", inline] = (words[at] ?? "").split("=", 2);
    const name = known[flag];
    if (name) values[name] = inline ?? words[++at] ?? "";
    else flags.push(flag);
  }
  return { values, flags };
}
