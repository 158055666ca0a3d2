/** @type {import("@remix-run/dev").AppConfig} */
export default { ignoredRouteFiles: ["**/.*"] };
