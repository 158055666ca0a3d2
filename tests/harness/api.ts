// Tests: the server's public HTTP API as an ordinary client sees it. Shapes are those of the protocol's management.ts.
import type {
  DeliveryDetail,
  DeliverySummary,
  EndpointInfo,
  Page,
  RunDetail,
  RunStatus,
  RunSummary,
  TaskView,
} from "@holdfast/protocol";
import { isFinalRunStatus } from "@holdfast/protocol";
import { type Patience, until } from "./until.ts";

export class Api {
  constructor(
    readonly url: string,
    readonly key: string,
    readonly environment = "dev",
  ) {}

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.key}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
    return (text ? JSON.parse(text) : null) as T;
  }
  get<T>(path: string): Promise<T> {
    return this.call("GET", path);
  }
  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.call("POST", path, body);
  }

  /** A path of the management API in this environment. */
  at(path: string): string {
    return `/api/v1/environments/${this.environment}${path}`;
  }

  /** Every item of a paged list, newest first. */
  async all<T>(path: string, query: Record<string, string> = {}): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const page: Page<T> = await this.get(
        `${this.at(path)}?${new URLSearchParams({ limit: "100", ...query, ...(cursor ? { cursor } : {}) })}`,
      );
      items.push(...page.items);
      cursor = page.nextCursor;
    } while (cursor);
    return items;
  }

  runs(query: Record<string, string> = {}): Promise<RunSummary[]> {
    return this.all("/runs", query);
  }
  run(id: string): Promise<RunDetail> {
    return this.get(this.at(`/runs/${id}`));
  }
  tasks(runId: string): Promise<TaskView[]> {
    return this.all(`/runs/${runId}/tasks`);
  }
  deliveries(query: Record<string, string> = {}): Promise<DeliverySummary[]> {
    return this.all("/deliveries", query);
  }
  delivery(id: string): Promise<DeliveryDetail> {
    return this.get(this.at(`/deliveries/${id}`));
  }
  async endpoints(): Promise<EndpointInfo[]> {
    const answer: EndpointInfo[] | Page<EndpointInfo> = await this.get(this.at("/endpoints"));
    return Array.isArray(answer) ? answer : answer.items;
  }
  /** Sends an event; answers its id. */
  send(event: { name: string; payload?: unknown; id?: string }): Promise<{ id: string }> {
    return this.post("/api/v1/events", { event });
  }
  async runsOf(job: string): Promise<RunSummary[]> {
    return this.runs({ job });
  }

  /** Waits for the endpoint that an app defines, and returns its URL. */
  async endpointUrl(id: string): Promise<string> {
    const found = await until(async () => (await this.endpoints()).find((endpoint) => endpoint.id === id), {
      what: () => `an endpoint ${id}`,
    });
    return found.url;
  }
  /** Waits until a job is known. */
  async knowsJob(id: string): Promise<void> {
    await until(
      async () => {
        const jobs: { id: string }[] | Page<{ id: string }> = await this.get(this.at("/jobs"));
        return (Array.isArray(jobs) ? jobs : jobs.items).some((job) => job.id === id);
      },
      { what: () => `a job ${id}` },
    );
  }
  /** Waits until a job has this many runs, all of them final; newest first. */
  async settled(job: string, count: number, patience: Patience = {}): Promise<RunSummary[]> {
    let seen: RunSummary[] = [];
    return until(
      async () => {
        seen = await this.runsOf(job);
        return seen.length >= count && seen.every((run) => isFinalRunStatus(run.status)) ? seen : null;
      },
      {
        what: () => `${count} final runs of ${job}; there are ${JSON.stringify(seen.map(({ id, status }) => [id, status]))}`,
        ...patience,
      },
    );
  }
  /** Waits for a status of a run. */
  async reaches(id: string, status: RunStatus, patience: Patience = {}): Promise<RunDetail> {
    let seen: RunDetail | undefined;
    return until(
      async () => {
        seen = await this.run(id);
        return seen.status === status ? seen : null;
      },
      { what: () => `run ${id} to be ${status}; it is ${JSON.stringify(seen)}`, ...patience },
    );
  }
  /** Sends an event and waits for the end of the one run of the job it starts. */
  async runOnce(job: string, event: { name: string; payload?: unknown }, patience: Patience = {}): Promise<RunDetail> {
    const before = new Set((await this.runsOf(job)).map((run) => run.id));
    await this.send(event);
    let seen: RunSummary | undefined;
    const run = await until(
      async () => {
        seen = (await this.runsOf(job)).find((each) => !before.has(each.id));
        return seen && isFinalRunStatus(seen.status) ? seen : null;
      },
      { what: () => `the end of the run of ${job}; it is ${JSON.stringify(seen)}`, ...patience },
    );
    return this.run(run.id);
  }
}
