// Tests: an OAuth 2.0 provider, as strict as real ones: it checks the client and its secret, the redirect address, PKCE, that a code is used once, rotates
// refresh tokens, ends tokens (RFC 7009) and can say who it is (RFC 9207). Of a rotated one the former stays good until the new access token is first used, as Slack's and others' do.
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const CLIENT_ID = "client-1";
export const CLIENT_SECRET = "very-secret-of-the-client";

interface Grant {
  redirectUrl: string;
  challenge: string | null;
  scope: string;
}
interface Family {
  /** Refresh tokens that are taken now. */
  good: Set<string>;
  scope: string;
}

export interface ProviderOptions {
  /** Seconds an access token lives; absent: for ever, and without a refresh token. */
  lifetime?: number;
  /** Answers as Slack does: errors with 200, the person's token beside the bot's. */
  slack?: boolean;
  basic?: boolean;
  /** Says so with each answer in the browser. */
  issuer?: boolean;
  /** A wicked one: sends whoever comes on to this one, as if they came from there. */
  passesOnTo?: OAuthProvider;
}

export class OAuthProvider {
  url = "";
  /** Every token it ever gave. */
  readonly given: string[] = [];
  /** Grants asked for at the token address, in order. */
  readonly asked: string[] = [];
  /** Called before a request for tokens is answered. */
  beforeAnswer: (grant: string, answered: boolean) => Promise<void> = async () => {};
  refusing: "invalid_grant" | "invalid_client" | null = null;
  /** Tokens it was asked to end, in order. */
  readonly ended: string[] = [];
  /** Answers requests to end tokens with 503. */
  endsNothing = false;
  readonly #codes = new Map<string, Grant>();
  readonly #families = new Map<string, Family>();
  readonly #access = new Map<string, { endsAt: number; family: Family; refresh: string }>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  constructor(readonly options: ProviderOptions = {}) {}

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }
  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get authorizeUrl(): string {
    return `${this.url}/authorize`;
  }
  get tokenUrl(): string {
    return `${this.url}/token`;
  }

  get revokeUrl(): string {
    return `${this.url}/revoke`;
  }

  /** What a service behind it says to a token. */
  accepts(token: string): boolean {
    const known = this.#access.get(token);
    if (!known || known.endsAt < Date.now()) return false;
    known.family.good = new Set([known.refresh]);
    return true;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    const json = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    if (url.pathname === "/authorize") return this.#authorize(url, response);
    if (url.pathname === "/me") {
      const token = (request.headers.authorization ?? "").replace(/^Bearer /, "");
      return json(this.accepts(token) ? 200 : 401, { ok: this.accepts(token) });
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    if (request.method === "DELETE" && url.pathname === `/applications/${CLIENT_ID}/token`) {
      const answer = this.#endAsGitHub(Buffer.concat(chunks).toString(), request.headers.authorization);
      return void response.writeHead(answer).end();
    }
    if (url.pathname === "/revoke") {
      const answer = this.#end(form, request.headers.authorization);
      return json(answer.status, answer.body);
    }
    const grant = form.get("grant_type") ?? "";
    this.asked.push(grant);
    await this.beforeAnswer(grant, false);
    const answer = this.#tokens(form, request.headers.authorization);
    await this.beforeAnswer(grant, true);
    json(
      "error" in answer && !this.options.slack ? 400 : 200,
      this.options.slack ? { ok: !("error" in answer), ...answer } : answer,
    );
  }

  /** The person has allowed it already, as one may have at a real one. */
  #authorize({ searchParams: query }: URL, response: ServerResponse): void {
    const { issuer, passesOnTo } = this.options;
    if (passesOnTo) return void response.writeHead(302, { location: `${passesOnTo.authorizeUrl}?${query}` }).end();
    const redirectUrl = query.get("redirect_uri") ?? "";
    if (query.get("client_id") !== CLIENT_ID || query.get("response_type") !== "code")
      return void response.writeHead(400).end("bad request");
    const challenge = query.get("code_challenge");
    if (challenge !== null && query.get("code_challenge_method") !== "S256")
      return void response.writeHead(400).end("bad challenge");
    const code = randomBytes(16).toString("hex");
    this.#codes.set(code, { redirectUrl, challenge, scope: query.get("scope") ?? query.get("user_scope") ?? "" });
    const back = new URL(redirectUrl);
    back.searchParams.set("code", code);
    back.searchParams.set("state", query.get("state") ?? "");
    if (issuer) back.searchParams.set("iss", this.url);
    response.writeHead(302, { location: back.href }).end();
  }

  #knows(form: URLSearchParams, authorization: string | undefined): boolean {
    const basic = Buffer.from((authorization ?? "").replace(/^Basic /, ""), "base64").toString();
    const shown = this.options.basic ? basic : `${form.get("client_id")}:${form.get("client_secret")}`;
    return shown === `${CLIENT_ID}:${CLIENT_SECRET}`;
  }

  /** RFC 7009: a token it does not know is ended, too; with a refresh token end those it brought. */
  #end(form: URLSearchParams, authorization: string | undefined): { status: number; body: object } {
    if (!this.#knows(form, authorization)) return { status: 401, body: { error: "invalid_client" } };
    const token = form.get("token") ?? "";
    this.ended.push(token);
    if (this.endsNothing) return { status: 503, body: {} };
    this.#access.delete(token);
    const family = this.#families.get(token);
    family?.good.clear();
    for (const [access, known] of this.#access) if (known.family === family) this.#access.delete(access);
    return { status: 200, body: {} };
  }

  #endAsGitHub(body: string, authorization: string | undefined): number {
    if (authorization !== `Basic ${Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`).toString("base64")}`) return 404;
    const { access_token: token } = JSON.parse(body) as { access_token: string };
    this.ended.push(token);
    return this.#access.delete(token) ? 204 : 422;
  }

  #tokens(form: URLSearchParams, authorization: string | undefined): Record<string, unknown> {
    if (!this.#knows(form, authorization)) return { error: "invalid_client" };
    if (this.refusing) return { error: this.refusing, error_description: "so it is" };
    return form.get("grant_type") === "refresh_token" ? this.#refreshed(form) : this.#redeemed(form);
  }

  #redeemed(form: URLSearchParams): Record<string, unknown> {
    const code = form.get("code") ?? "";
    const grant = this.#codes.get(code);
    this.#codes.delete(code);
    if (!grant || grant.redirectUrl !== form.get("redirect_uri")) return { error: "invalid_grant" };
    const verifier = createHash("sha256")
      .update(form.get("code_verifier") ?? "")
      .digest("base64url");
    if (grant.challenge !== null && grant.challenge !== verifier) return { error: "invalid_grant" };
    return this.#give({ good: new Set(), scope: grant.scope });
  }

  #refreshed(form: URLSearchParams): Record<string, unknown> {
    const token = form.get("refresh_token") ?? "";
    const family = this.#families.get(token);
    return family?.good.has(token) ? this.#give(family) : { error: "invalid_grant" };
  }

  #give(family: Family): Record<string, unknown> {
    const access = `access-${randomBytes(16).toString("hex")}`;
    const refresh = `refresh-${randomBytes(16).toString("hex")}`;
    const { lifetime, slack } = this.options;
    this.#access.set(access, {
      endsAt: lifetime === undefined ? Number.POSITIVE_INFINITY : Date.now() + lifetime * 1000,
      family,
      refresh,
    });
    this.given.push(access);
    const plain = { access_token: access, token_type: "bearer", scope: family.scope };
    const team = slack
      ? { team: { id: "T1", name: "The team" }, bot_user_id: "B1", app_id: "A1", authed_user: { id: "U1" } }
      : {};
    if (lifetime === undefined) return { ...plain, ...team };
    this.#families.set(refresh, family);
    family.good.add(refresh);
    this.given.push(refresh);
    return { ...plain, ...team, expires_in: lifetime, refresh_token: refresh };
  }
}

/** A browser as far as it matters here: follows redirects and keeps cookies. Answers the last page. */
export class Browser {
  readonly #cookies = new Map<string, string>();

  async visit(address: string): Promise<{ url: string; status: number; text: string }> {
    for (let url = address; ; ) {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await fetch(url, { redirect: "manual", headers: cookie ? { cookie } : {} });
      for (const text of response.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(text) ?? [];
        this.#cookies.set(name, value);
      }
      const location = response.headers.get("location");
      if (location === null) return { url, status: response.status, text: await response.text() };
      url = new URL(location, url).href;
    }
  }

  /** One step: where the address sends one. */
  async step(url: string): Promise<string | null> {
    const response = await fetch(url, { redirect: "manual" });
    for (const text of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(text) ?? [];
      this.#cookies.set(name, value);
    }
    return response.headers.get("location");
  }
}
