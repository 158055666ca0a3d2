// What files a build would need elsewhere is not traced, by 14's name for it and by 15's: nobody deploys this one, and it takes a third of the time.
/** @type {import("next").NextConfig} */
export default { reactStrictMode: true, outputFileTracing: false, outputFileTracingExcludes: { "*": ["**/*"] } };
