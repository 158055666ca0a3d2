import { UserFacingError } from "@holdfast/protocol";
import { describe, expect, it } from "vitest";
import { createVault, generateApiKeys, generateEncryptionKey, hashKey, previewOf } from "./secrets.ts";

const HEX = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

describe("createVault", () => {
  it("opens what it sealed, and never seals the same text to the same bytes", () => {
    const vault = createVault(generateEncryptionKey());
    const sealed = new Set(Array.from({ length: 1000 }, () => vault.seal("whsec_ü", "endpoint:ep_1")));
    expect(sealed.size).toBe(1000);
    for (const text of sealed) {
      expect(vault.open(text, "endpoint:ep_1")).toBe("whsec_ü");
      expect(text).not.toContain("whsec");
    }
  });

  it("takes the key as 64 hex digits or as base64, with the same result", () => {
    const sealed = createVault(HEX).seal("x", "p");
    expect(createVault(Buffer.from(HEX, "hex").toString("base64")).open(sealed, "p")).toBe("x");
  });

  it.each(["", "short", HEX.slice(1), `${HEX}00`, "not base64 at all, however long it may be, no"])(
    "refuses the key %j",
    (key) => {
      expect(() => createVault(key)).toThrow(UserFacingError);
      expect(() => createVault(key)).toThrow(/HOLDFAST_ENCRYPTION_KEY must be 32 bytes/);
    },
  );

  it("does not open for another purpose, another key, or after a change of any character", () => {
    const vault = createVault(HEX);
    const sealed = vault.seal("secret", "endpoint:ep_1");
    expect(() => vault.open(sealed, "endpoint:ep_2")).toThrow(/altered/);
    expect(() => createVault(generateEncryptionKey()).open(sealed, "endpoint:ep_1")).toThrow(/not the current one/);
    for (let i = 0; i < sealed.length - 1; i++) {
      const changed = sealed.slice(0, i) + (sealed[i] === "A" ? "B" : "A") + sealed.slice(i + 1);
      if (Buffer.from(changed, "base64url").equals(Buffer.from(sealed, "base64url"))) continue;
      expect(() => vault.open(changed, "endpoint:ep_1"), `character ${i}`).toThrow(UserFacingError);
    }
  });

  it("opens old texts after a rotation and seals with the newest key", () => {
    const old = createVault(HEX);
    const rotated = createVault(`${generateEncryptionKey()},${HEX}`);
    expect(rotated.open(old.seal("kept", "p"), "p")).toBe("kept");
    expect(rotated.keyId).not.toBe(old.keyId);
    expect(() => old.open(rotated.seal("new", "p"), "p")).toThrow(UserFacingError);
  });
});

describe("API keys", () => {
  it("have the form the published SDK insists on, and are all different", () => {
    const keys = Array.from({ length: 500 }, () => generateApiKeys("prod"));
    expect(new Set(keys.flatMap((pair) => [pair.secretKey, pair.publicKey])).size).toBe(1000);
    for (const { secretKey, publicKey } of keys) {
      expect(secretKey).toMatch(/^tr_[a-z]+_[a-zA-Z0-9]{24,}$/);
      expect(publicKey).toMatch(/^pk_[a-z]+_[a-zA-Z0-9]{24,}$/);
    }
    expect(() => generateApiKeys("my-env")).toThrow(UserFacingError);
  });

  it("are stored as a hash and shown as a preview", () => {
    expect(hashKey("abc")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    expect(previewOf("tr_dev_abcdefghijkl")).toBe("tr_dev_…ijkl");
  });
});
