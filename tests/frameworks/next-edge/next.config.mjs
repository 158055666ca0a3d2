// See next-both-routers/next.config.mjs.
/** @type {import("next").NextConfig} */
export default {
  typescript: { ignoreBuildErrors: true },
  outputFileTracing: false,
  outputFileTracingExcludes: { "*": ["**/*"] },
};
