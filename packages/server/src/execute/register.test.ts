// Room: execute. Registering an app by its URL, where something else answers there: a page, a login, nothing of use. The person who registers is told what.
import { expect, it } from "vitest";
import type { HttpOutcome } from "../platform/http-client.ts";
import { ENVIRONMENT } from "../store/samples.conformance.ts";
import { executorScene } from "./fixture.test.mts";

const URL_OF_APP = "http://app.test/api/trigger";

async function told(answers: Record<string, Partial<Extract<HttpOutcome, { ok: true }>>>): Promise<string> {
  const fetch = async ({ url }: { url: string }): Promise<HttpOutcome> => ({
    ok: true,
    status: 200,
    headers: {},
    body: Buffer.from(""),
    ...answers[new URL(url).pathname],
  });
  const { executor } = await executorScene({ world: { fetch } });
  const answer = await executor.push.index({ url: URL_OF_APP, slug: "shop", environmentId: ENVIRONMENT });
  return "message" in answer ? answer.message : "indexed";
}

it("says that a page answers, and where a redirect led to", async () => {
  const page = { headers: { "content-type": "text/html; charset=utf-8" }, body: Buffer.from("<html>") };
  expect(await told({ "/api/trigger": page })).toBe(
    "http://app.test/api/trigger answered 200 with text/html, which is no app's answer to a ping.",
  );
  const login = { status: 307, headers: { location: "/login?to=x" } };
  expect(await told({ "/api/trigger": login, "/login": page })).toBe(
    "http://app.test/login?to=x, to which http://app.test/api/trigger redirects, answered 200 with text/html, which is no app's answer to a ping.",
  );
});

it("says that nothing or nothing known is answered, and repeats an app's own words", async () => {
  expect(await told({})).toContain("answered 200 without a content type, which is no app's answer to a ping.");
  const json = (body: string) => ({
    "/api/trigger": { headers: { "content-type": "application/json" }, body: Buffer.from(body) },
  });
  for (const strange of ["null", "[]", "7", '{"ok":"yes"}'])
    expect(await told(json(strange))).toContain("answered 200 with application/json, which is no app's answer");
  expect(await told(json('{"ok":false,"error":"Wrong key"}'))).toBe("Wrong key");
});
