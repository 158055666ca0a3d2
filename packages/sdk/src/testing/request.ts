// Room: testing. A payload on its way into a run under test: JSON, or a request, which the endpoint verifies first, as it does before any real run exists.
import { type ExecutionStart, type RequestPayload, UserFacingError } from "@holdfast/protocol";
import type { AnyJob } from "../jobs/perform.ts";
import { HttpTrigger } from "../triggers/http-endpoint.ts";
import { toRequest } from "../triggers/request.ts";
import { jsonOf } from "./options.ts";

type Sent = Pick<ExecutionStart["event"], "payload" | "payloadType">;

/**
 * The payload as it is stored.
 *
 * @param isTest requests of test runs are not verified
 * @throws INVALID_SIGNATURE when the endpoint refuses the request, BAD_REQUEST for a job that takes none, or no JSON
 */
export async function sentPayload(job: AnyJob, payload: unknown, isTest: boolean): Promise<Sent> {
  const { trigger } = job;
  const isHttp = trigger instanceof HttpTrigger;
  if (!(payload instanceof Request)) {
    if (!isHttp) return { payload: jsonOf(payload, "The payload") ?? "{}", payloadType: "JSON" };
    throw new UserFacingError("BAD_REQUEST", `The job "${job.id}" runs for requests.`, "Give the tester a Request as payload.");
  }
  if (!isHttp) {
    throw new UserFacingError("BAD_REQUEST", `The job "${job.id}" runs for no requests.`, "Give the tester a plain payload.");
  }
  const stored = await storedRequest(payload);
  const verdict = isTest ? { success: true as const } : await trigger.endpoint.verify(toRequest(stored));
  if (verdict.success) return { payload: JSON.stringify(stored), payloadType: "REQUEST" };
  const { reason = "verify() gave no reason" } = verdict;
  throw new UserFacingError(
    "INVALID_SIGNATURE",
    `The endpoint "${trigger.endpoint.id}" refuses the request: ${reason}.`,
    "It starts no run. Sign the request, or run the job with isTest: true, which verifies nothing.",
  );
}

async function storedRequest(request: Request): Promise<RequestPayload> {
  const bytes = Buffer.from(await request.clone().arrayBuffer());
  const rawBody = bytes.toString("utf8");
  const isText = Buffer.from(rawBody, "utf8").equals(bytes);
  const { url, method, headers } = request;
  const stored = { url, method, headers: Object.fromEntries(headers), rawBody };
  return isText ? stored : { ...stored, bodyBase64: bytes.toString("base64") };
}
