// Tests: webhooks as Clerk sends them, signed by the `svix` package, which shares no code with the server's own verifier and sample sender.
import { randomUUID } from "node:crypto";
import { Webhook } from "svix";

export const SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const OTHER_SECRET = "whsec_c2VjcmV0IG9mIHNvbWVib2R5IGVsc2UhISE=";

export interface Signing {
  id?: string;
  secret?: string;
  at?: Date;
}

export function svixId(): string {
  return `msg_${randomUUID().replaceAll("-", "")}`;
}

/** The three headers, and the content type. */
export function signedHeaders(body: string | Buffer, { id = svixId(), secret = SIGNING_SECRET, at = new Date() }: Signing = {}) {
  return {
    "content-type": "application/json",
    "svix-id": id,
    "svix-timestamp": String(Math.floor(at.getTime() / 1000)),
    "svix-signature": new Webhook(secret).sign(id, at, body),
  };
}

/** The body of a `user.created`. */
export function userCreated(userId: string): string {
  return JSON.stringify({ data: { id: userId, object: "user", first_name: "Ada" }, object: "event", type: "user.created" });
}

/** POSTs one correctly signed webhook. */
export function sendSigned(url: string, body: string, signing: Signing = {}): Promise<Response> {
  return fetch(url, { method: "POST", headers: signedHeaders(body, signing), body });
}
