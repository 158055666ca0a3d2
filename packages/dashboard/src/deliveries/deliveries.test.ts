import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { localPath } from "../login/localPath.ts";
import { asText, decodeBase64, hexRows, toCurl } from "./body.ts";
import { explainVerdict } from "./reason.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

describe("body", () => {
  it("knows text from bytes", () => {
    expect(asText(decodeBase64(base64("grüße")))).toBe("grüße");
    expect(asText(new Uint8Array([0xff, 0xfe, 0x00]))).toBeNull();
    expect(asText(new Uint8Array([65, 0, 66]))).toBeNull();
  });
  it("prints hex as hexdump does", () => {
    expect(hexRows(new TextEncoder().encode("0123456789abcdefXY"), 100)).toEqual([
      "00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef",
      "00000010  58 59                                            XY",
    ]);
  });
});

describe("toCurl", () => {
  const delivery = {
    method: "POST",
    url: "http://127.0.0.1/a?b='c'",
    headers: [
      ["host", "x"],
      ["X-Quote", "it's $HOME `id`"],
      ["content-length", "9"],
    ] as [string, string][],
    bodyBase64: base64(`{"a":"it's"}`),
  };

  /** What a real shell would hand to curl. */
  const asShell = (command: string): string[] =>
    JSON.parse(
      execFileSync("sh", [
        "-c",
        `curl() { node -e 'process.stdout.write(JSON.stringify(process.argv.slice(1)))' -- "$@"; }\n${command}`,
      ]).toString(),
    );

  it("survives a shell with quotes, variables and backticks in it", () => {
    expect(asShell(toCurl(delivery))).toEqual([
      "-X",
      "POST",
      delivery.url,
      "-H",
      "X-Quote: it's $HOME `id`",
      "--data-raw",
      `{"a":"it's"}`,
    ]);
  });
  it("sends bytes that are not text through base64", () => {
    const command = toCurl({ ...delivery, headers: [], bodyBase64: Buffer.from([0xff, 0x00]).toString("base64") });
    expect(command).toMatch(/^echo \/wA= \| base64 -d \| curl .*--data-binary @-$/s);
  });
});

describe("explainVerdict", () => {
  const refused = (reason: string | null) => explainVerdict({ verdict: "refused", reason, runs: [], senderId: null }).means;
  it("tells the usual refusals apart", () => {
    const said = [
      "Missing svix headers",
      "Message timestamp too old",
      "No matching signature found",
      "Body is too large",
      null,
    ].map(refused);
    expect(new Set(said).size).toBe(5);
  });
  it("says when a verified request matched nothing", () => {
    expect(explainVerdict({ verdict: "verified", reason: null, runs: [], senderId: null }).means).toContain(
      "no job's filter matched",
    );
  });
});

it("never leads off this origin after a login", () => {
  expect(localPath("/runs?env=dev")).toBe("/runs?env=dev");
  expect(["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", undefined].map(localPath)).toEqual(
    Array(5).fill("/"),
  );
});
