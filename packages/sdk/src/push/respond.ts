// Room: push. Answers in v2's shape, and as Web Responses.
import { V2_VERSION } from "@holdfast/protocol";
import { SDK_VERSION } from "../version.ts";

/** An answer as adapters pass it on: `body` is sent as JSON. */
export interface NormalizedResponse {
  status: number;
  body?: unknown;
  headers?: Record<string, string> | undefined;
}

export const VERSION_HEADERS = { "Trigger-Version": V2_VERSION, "Trigger-SDK-Version": SDK_VERSION };

export function answer(status: number, body: unknown): NormalizedResponse {
  return { status, body, headers: VERSION_HEADERS };
}

export function refuse(status: number, message: string): NormalizedResponse {
  return answer(status, { message });
}

/** The answer as a Response. HEAD gets no body. */
export function toResponse({ status, body, headers }: NormalizedResponse, method = "POST"): Response {
  const text = method === "HEAD" || body === undefined ? null : JSON.stringify(body);
  return new Response(text, { status, headers: { "content-type": "application/json", ...VERSION_HEADERS, ...headers } });
}
