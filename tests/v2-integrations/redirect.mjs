// Tests: loaded before an app, so that what its integrations ask of their services over https is asked of SERVICES_URL, at /<host>/<path>. Most of them have no option for that.
import http from "node:http";
import https from "node:https";
import { syncBuiltinESMExports } from "node:module";

const services = new URL(process.env.SERVICES_URL);

function local(url) {
  return new URL(`/${url.host}${url.pathname}${url.search}`, services);
}

function request(...given) {
  const callback = typeof given.at(-1) === "function" ? given.pop() : undefined;
  const [first, second] = given;
  const isUrl = typeof first === "string" || first instanceof URL;
  const { agent: _agent, ...options } = (isUrl ? second : first) ?? {};
  const { hostname = options.host, path = "/" } = options;
  const url = local(isUrl ? new URL(first) : new URL(`https://${hostname}${path}`));
  const asked = http.request(
    {
      method: options.method ?? "GET",
      headers: options.headers ?? {},
      host: url.hostname,
      port: url.port,
      path: url.pathname + url.search,
    },
    callback,
  );
  // Stripe's client writes once the connection is secure.
  asked.on("socket", (socket) => socket.once("connect", () => socket.emit("secureConnect")));
  return asked;
}
https.request = request;
https.get = (...given) => request(...given).end();
syncBuiltinESMExports();

const { fetch } = globalThis;
globalThis.fetch = (input, init) => {
  const url = new URL(input instanceof Request ? input.url : input);
  if (url.protocol !== "https:") return fetch(input, init);
  return input instanceof Request ? fetch(new Request(local(url), input), init) : fetch(local(url), init);
};
