// Room: triggers. Inbound addresses for webhooks, and jobs that run for requests received there. Made by `client.defineHttpEndpoint`;
// `verify` and `respondWith` are called by the connect and push transports, before any run exists.
import { type DisplayProperty, type HttpEndpointMetadata, type JobMetadata, requestFilterProblem } from "@holdfast/protocol";
import { slugifyId } from "./slug.ts";
import {
  checkedFilter,
  type EventFilter,
  type EventSpecification,
  type EventSpecificationExample,
  type RequestFilter,
  type Trigger,
  type VerifyResult,
} from "./trigger.ts";

export type VerifyCallback = (request: Request) => Promise<VerifyResult | { success: boolean; reason?: string | undefined }>;

/** Answers the sender itself, at once. */
export interface RespondWith {
  /** Only requests that match are answered by the handler. Without it the handler answers none. */
  filter?: RequestFilter | undefined;
  /** True: requests answered here start no runs. Without it, any answer but 200 starts none either. */
  skipTriggeringRuns?: boolean | undefined;
  handler: (request: Request, verify: () => Promise<VerifyResult>) => Promise<Response>;
}

export interface EndpointOptions {
  /** Unique in the app; lower-cased, spaces become dashes. */
  id: string;
  enabled?: boolean | undefined;
  /** Usually the sender's domain, such as "clerk.com". */
  source: string;
  title?: string | undefined;
  icon?: string | undefined;
  examples?: EventSpecificationExample[] | undefined;
  properties?: DisplayProperty[] | undefined;
  respondWith?: RespondWith | undefined;
  /** Says whether a request is genuine. It gets the bytes and headers exactly as received. */
  verify: VerifyCallback;
  /**
   * Holdfast: when the sender is answered. "stored" (default): at once, when the request is on disk. "verified": after `verify`, so that
   * a forged request gets a 4xx.
   */
  answer?: "stored" | "verified" | undefined;
}

const NO_VERDICT = "verify() answered neither { success: true } nor { success: false, reason }.";

function requestSpecification(slug: string, options: EndpointOptions): EventSpecification<Request> {
  return {
    name: slug,
    title: options.title ?? "HTTP Endpoint",
    source: options.source,
    icon: options.icon ?? "webhook",
    ...(options.properties ? { properties: options.properties } : {}),
    ...(options.examples ? { examples: options.examples } : {}),
    parsePayload: (payload) => payload as Request,
  };
}

export class HttpEndpoint {
  readonly id: string;
  readonly #options: EndpointOptions;
  readonly #event: EventSpecification<Request>;

  constructor(options: EndpointOptions) {
    this.id = slugifyId(options.id);
    this.#options = options;
    checkedFilter(options.respondWith?.filter, requestFilterProblem, `respondWith of the HTTP endpoint "${this.id}"`);
    this.#event = requestSpecification(this.id, options);
  }

  /**
   * A trigger for requests received here.
   *
   * @param options.filter only requests that match it: `{ method, headers, query, body }`
   * @example client.defineJob({ …, trigger: clerk.onRequest({ filter: { body: { type: ["user.created"] } } }), … });
   */
  onRequest(options: { filter?: RequestFilter | undefined } = {}): HttpTrigger {
    return new HttpTrigger(this, this.#event, options.filter as EventFilter | undefined);
  }

  /** Runs the user's `verify` on its own copy of the request. An error it throws refuses the request, with its message. */
  async verify(request: Request): Promise<VerifyResult> {
    try {
      const result: { success?: boolean; reason?: string | undefined } | undefined = await this.#options.verify(request.clone());
      if (typeof result?.success !== "boolean") return { success: false, reason: NO_VERDICT };
      if (result.success) return { success: true };
      const { reason } = result;
      return { success: false, ...(reason === undefined ? {} : { reason: String(reason) }) };
    } catch (error) {
      return { success: false, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Lets `respondWith` answer a request; undefined when there is none. */
  async respond(request: Request): Promise<Response | undefined> {
    return this.#options.respondWith?.handler(request.clone(), () => this.verify(request));
  }

  toJSON(): HttpEndpointMetadata {
    const { enabled = true, icon, source, respondWith, answer } = this.#options;
    return {
      id: this.id,
      version: "1",
      enabled,
      ...(icon ? { icon } : {}),
      event: JSON.parse(JSON.stringify(this.#event)) as HttpEndpointMetadata["event"],
      ...(respondWith?.filter ? { immediateResponseFilter: respondWith.filter } : {}),
      ...(respondWith?.skipTriggeringRuns === undefined ? {} : { skipTriggeringRuns: respondWith.skipTriggeringRuns }),
      source,
      ...(answer ? { answer } : {}),
    };
  }
}

export class HttpTrigger implements Trigger<EventSpecification<Request>> {
  readonly event: EventSpecification<Request>;
  readonly preprocessRuns = false;
  readonly endpoint: HttpEndpoint;
  readonly #filter: EventFilter;

  constructor(endpoint: HttpEndpoint, event: EventSpecification<Request>, filter: EventFilter = {}) {
    this.event = event;
    this.endpoint = endpoint;
    this.#filter = checkedFilter(filter, requestFilterProblem, `onRequest of the HTTP endpoint "${endpoint.id}"`);
  }

  toJSON(): JobMetadata["trigger"] {
    const { properties, source } = this.event;
    return {
      type: "static",
      title: this.endpoint.id,
      ...(properties ? { properties } : {}),
      rule: { event: `httpendpoint.${this.endpoint.id}`, source, payload: this.#filter },
      link: `http-endpoints/${this.endpoint.id}`,
    };
  }

  attachToJob(): void {}

  /** Requests were verified before the run was made. */
  async verifyPayload(): Promise<VerifyResult> {
    return { success: true };
  }
}
