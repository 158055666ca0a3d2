// Room: output. The one way a command speaks: data to stdout, commentary to stderr. Built per command in program.ts.
// Promises: with --json, stdout holds nothing but JSON; without a terminal there is no colour.
import type { CliWorld } from "../platform/world.ts";
import { explain } from "./exit-codes.ts";

const STYLES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] } as const;
export type Style = keyof typeof STYLES;

export interface Output {
  readonly json: boolean;
  /** The command's result: `value` as JSON with --json, else `text` as it stands. */
  result(value: unknown, text: string): void;
  /** One object of a stream: a line of JSON with --json, else a line of text. */
  event(value: unknown, text: string): void;
  /** A line of commentary, for a person. */
  note(text: string): void;
  fail(error: unknown): number;
  paint(style: Style, text: string): string;
}

export function createOutput(world: Pick<CliWorld, "out" | "err" | "terminal">, json: boolean): Output {
  const paint = (style: Style, text: string) =>
    world.terminal && !json ? `\u001b[${STYLES[style][0]}m${text}\u001b[${STYLES[style][1]}m` : text;
  return {
    json,
    paint,
    result: (value, text) => world.out(json ? `${JSON.stringify(value, null, 2)}\n` : withNewline(text)),
    event: (value, text) => world.out(json ? `${JSON.stringify(value)}\n` : withNewline(text)),
    note: (text) => world.err(`${text}\n`),
    fail(error) {
      const { exit, ...shown } = explain(error);
      if (json) world.err(`${JSON.stringify({ error: shown })}\n`);
      else world.err(`${paint("red", `holdfast: ${shown.message}`)} [${shown.code}]\n${shown.hint ? `  ${shown.hint}\n` : ""}`);
      return exit;
    },
  };
}

function withNewline(text: string): string {
  return text === "" ? "" : `${text}\n`;
}
