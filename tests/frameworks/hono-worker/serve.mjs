// What `wrangler dev` does: the real runtime, workerd, with the flags of wrangler.toml. Variables are bindings.
import { Miniflare } from "miniflare";

const { HOST, PORT, TRIGGER_API_KEY, TRIGGER_API_URL, HARBOUR_TOKEN } = process.env;
const worker = new Miniflare({
  modules: [{ type: "ESModule", path: "dist/worker.js" }],
  compatibilityDate: "2026-04-01",
  compatibilityFlags: ["nodejs_als"],
  bindings: { TRIGGER_API_KEY, TRIGGER_API_URL, HARBOUR_TOKEN },
  host: HOST,
  port: Number(PORT),
  cf: false,
});
process.once("SIGTERM", () => worker.dispose().then(() => process.exit(0)));
await worker.ready;
