// Room: eslint. What `@holdfast/sdk/eslint` exports: a plugin for ESLint's flat config. It needs nothing at run time, ESLint included.
import { SDK_VERSION } from "../version.ts";
import { noDuplicatedTaskKeys } from "./no-duplicated-task-keys.ts";

const rules = { "no-duplicated-task-keys": noDuplicatedTaskKeys };
const meta = { name: "@holdfast/sdk/eslint", version: SDK_VERSION };

/**
 * Checks of jobs that a compiler cannot make.
 *
 * @example
 * // eslint.config.js
 * import holdfast from "@holdfast/sdk/eslint";
 * export default [holdfast.configs.recommended];
 */
const plugin = {
  meta,
  rules,
  configs: {
    recommended: { plugins: { holdfast: { meta, rules } }, rules: { "holdfast/no-duplicated-task-keys": "error" as const } },
  },
};
export default plugin;
