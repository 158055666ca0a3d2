// Builds the dashboard into static files the server hosts at `/`; `npm run dev` serves it against the in-memory mock API.
// Nothing is inlined as a data: URI or an inline script, so the page runs under `default-src 'self'`.
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { createMockApi } from "./mock/api.ts";

function mockApi(): Plugin {
  return {
    name: "holdfast-mock-api",
    apply: "serve",
    configureServer(server) {
      const api = createMockApi({ lively: true });
      server.middlewares.use((request, response, next) => {
        if (!api.handle(request, response)) next();
      });
      server.httpServer?.once("close", api.close);
    },
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss(), mockApi()],
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    chunkSizeWarningLimit: 700,
  },
});
