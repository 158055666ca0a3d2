// What programs may import from `holdfast`: the shape of `holdfast.config.ts`.
import type { HoldfastConfig } from "./settings/config-file.ts";

export type { HoldfastConfig } from "./settings/config-file.ts";

/**
 * Types the default export of `holdfast.config.ts`.
 *
 * @example export default defineConfig({ port: 4000, files: ["src/jobs.ts"] })
 */
export function defineConfig(config: HoldfastConfig): HoldfastConfig {
  return config;
}
