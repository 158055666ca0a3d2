import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { duplicateKeyError, taskId, taskKey } from "./key.ts";

const sha = (text: string) => createHash("sha256").update(text).digest("hex");

describe("taskKey", () => {
  it("equals the keys captured from v2's SDK", () => {
    expect(taskKey("run_hello", "", "outer")).toBe("3b05b461743f292da0c2c276a7c6ab23d0a7640ab292f140b28ea873c017781d");
    expect(taskKey("run_hello", "task_0002", "inner").slice(0, 8)).toBe("e5508d39");
    expect(taskKey("run_hello", "", ["arr", { b: 1, a: 2 }, 3]).slice(0, 8)).toBe("85d318f3");
    expect(taskKey("run_hello", "", ["hi there", "INFO"])).toBe(
      "24c4a0d45604cff7c37b6e8f51204d32b1e456cc55a7314c56691ce22cf3026e",
    );
  });

  it("joins parts as v2 does, empty lists and undefined included", () => {
    expect(taskKey("r", "p", [])).toBe(sha("r:p"));
    expect(taskKey("r", "p", ["a", undefined, null, true])).toBe(sha("r:p:a::null:true"));
    expect(taskKey("r", "p", [["a", "b"], { z: [{ y: 1, x: 2 }] }])).toBe(sha('r:p:["a","b"]:{"z":[{"x":2,"y":1}]}'));
  });

  it("does not depend on the order of an object's keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse());
        return taskKey("r", "", ["k", object]) === taskKey("r", "", ["k", reversed]);
      }),
    );
  });

  it("gives ids that are the start of the key", () => {
    const key = taskKey("run_hello", "", "outer");
    expect(taskId(key)).toBe("task_3b05b461743f292da0c2c276a7");
  });

  it("names the key in the error for using it twice", () => {
    expect(duplicateKeyError("x").message).toBe(
      'Task with cacheKey "x" has already been executed in this run. Each task must have a unique cacheKey.',
    );
    expect(duplicateKeyError(["a", 1]).message).toContain('"a-1"');
  });
});
