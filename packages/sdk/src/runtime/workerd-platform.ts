// Room: runtime. The platform of Cloudflare's workers, whose AsyncLocalStorage is no global but one of Node's modules: it wants the flag nodejs_compat, or
// nodejs_als. Imported as `#platform`.
import { AsyncLocalStorage } from "node:async_hooks";
import type { Platform } from "./platform.ts";
import { platform as web } from "./web-platform.ts";

export const platform: Platform = { ...web, storage: <T>() => new AsyncLocalStorage<T>() };
