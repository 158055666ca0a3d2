// Room: dev. Puts a word before each line of a child's output, so that it can be told from ours. Called by command-process.ts.

/** A sink for pieces of text; whole lines go out with the prefix, the rest waits for `end`. */
export function prefixLines(prefix: string, write: (text: string) => void): { push(text: string): void; end(): void } {
  let rest = "";
  return {
    push(text) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      if (lines.length) write(lines.map((line) => `${prefix}${line}\n`).join(""));
    },
    end() {
      if (rest) write(`${prefix}${rest}\n`);
      rest = "";
    },
  };
}
