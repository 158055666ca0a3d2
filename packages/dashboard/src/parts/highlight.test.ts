import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Language, shownJson, tokens } from "./highlight.ts";

describe("shownJson", () => {
  it("writes what turns the direction of text as its escape, which means the same", () => {
    const value = { "a\u202e": "\u2066x\u200f", plain: "é👩‍👩‍👧" };
    const shown = shownJson(JSON.stringify(value));
    expect(shown).toBe('{"a\\u202e":"\\u2066x\\u200f","plain":"é👩‍👩‍👧"}');
    expect(JSON.parse(shown)).toEqual(value);
  });
});

describe("tokens", () => {
  it("loses nothing, whatever the text", () => {
    const language = fc.constantFrom<Language>("json", "ts", "shell", "plain");
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), language, (text, chosen) => {
        expect(
          tokens(text, chosen)
            .map((token) => token.text)
            .join(""),
        ).toBe(text);
      }),
    );
  });
  it("tells keys from text", () => {
    const kinds = tokens('{"a": "b", "c": -1.5e3, "d": null}', "json").filter((token) => token.kind !== "plain");
    expect(kinds.map((token) => token.kind)).toEqual(["key", "text", "key", "value", "key", "value"]);
  });
  it("does not see keywords inside strings and comments", () => {
    const kinds = tokens('const a = "const"; // const', "ts").filter((token) => token.kind === "key");
    expect(kinds).toHaveLength(1);
  });
});
