// What people must not see of a task, and that everything else stays as it is.
import { expect, test } from "vitest";
import { withoutPaths, withoutSecrets } from "./hidden.ts";

const bearer = { __redactedString: true, strings: ["Bearer ", " of ", ""], interpolations: ["abc", "me"] };

test("a redactString is shown with its values hidden, wherever it lies", () => {
  const params = {
    url: "https://x",
    requestInit: { headers: { authorization: bearer, accept: "*/*" } },
    list: [bearer, null, 1],
  };
  expect(withoutSecrets(params)).toEqual({
    url: "https://x",
    requestInit: { headers: { authorization: "Bearer ******** of ********", accept: "*/*" } },
    list: ["Bearer ******** of ********", null, 1],
  });
  expect(JSON.stringify(withoutSecrets(params))).not.toContain("abc");
  expect(withoutSecrets(JSON.parse('{"__proto__":{"a":1}}'))).toEqual(JSON.parse('{"__proto__":{"a":1}}'));
});

test("paths are hidden by name, by index, in each element and everywhere", () => {
  const output = { token: "s", user: { token: "t", name: "n" }, keys: [{ token: "u" }, { token: "v", id: 1 }], n: null };
  const hide = (...paths: string[]) => withoutPaths(output, paths);
  expect(hide("token")).toEqual({ ...output, token: "********" });
  expect(hide("user.token", "keys.0.token")).toEqual({
    ...output,
    user: { token: "********", name: "n" },
    keys: [{ token: "********" }, { token: "v", id: 1 }],
  });
  expect(hide("keys.token")).toEqual({ ...output, keys: [{ token: "********" }, { token: "********", id: 1 }] });
  expect(hide("keys.*")).toEqual({ ...output, keys: ["********", "********"] });
  expect(hide("*")).toEqual({ token: "********", user: "********", keys: "********", n: "********" });
  expect(hide("user")).toEqual({ ...output, user: "********" });
  expect(hide("nowhere", "token.deeper", "n.x", "", "toString")).toEqual(output);
});
