// Room: http. A sender that asks first (`expect: 100-continue`) is told to go on only once somebody reads its body.
import { type IncomingMessage, request } from "node:http";
import { expect, it } from "vitest";
import { listen } from "./listen.ts";

/** Asks before it sends: what it was told, in order. */
function told(port: number, path: string): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const heard: string[] = [];
    const asking = request({ port, path, method: "POST", headers: { expect: "100-continue", "content-length": 2 } });
    asking.on("continue", () => {
      heard.push("continue");
      asking.end("hi");
    });
    asking.on("response", (response) => {
      resolve([...heard, String(response.statusCode)]);
      asking.destroy();
    });
    asking.on("error", reject);
    asking.flushHeaders();
  });
}

it("tells a sender to go on when its body is read, and answers it without the body when it is not", async () => {
  const listening = await listen(
    async ({ url }, env) => {
      if (url.endsWith("/refused")) return new Response("full", { status: 503 });
      const { incoming } = env as { incoming: IncomingMessage };
      await new Promise((resolve) => incoming.on("data", () => undefined).on("end", resolve));
      return new Response("stored");
    },
    { host: "127.0.0.1", port: 0 },
  );
  expect(await told(listening.port, "/read")).toEqual(["continue", "200"]);
  expect(await told(listening.port, "/refused")).toEqual(["503"]);
  listening.force();
  await listening.close();
});
