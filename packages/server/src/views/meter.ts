// Room: views. What this process has counted since it started; GET /metrics renders it. Called by every room above that has something to count.
// Promises: counting never fails and never waits; a counter's name and labels are fixed by code, never by a request, so the set stays small.

export type Labels = Readonly<Record<string, string>>;

/** Counters of one process. */
export interface Meter {
  /**
   * Adds to a counter.
   *
   * @param name Prometheus name: `holdfast_…_total`
   * @param by default 1
   */
  count(name: string, labels?: Labels, by?: number): void;
  /** Every counter as Prometheus text, followed by the gauges given. */
  text(gauges?: readonly Gauge[]): string;
}
export interface Gauge {
  name: string;
  help: string;
  labels?: Labels;
  value: number;
}

const HELP: Record<string, string> = {
  holdfast_deliveries_total: "Requests received at endpoints, by verdict.",
  holdfast_runs_finished_total: "Runs that ended, by status.",
  holdfast_tasks_recorded_total: "Task reports recorded.",
  holdfast_http_requests_total: "HTTP requests answered, by class of status.",
};

/**
 * Makes an empty meter.
 *
 * @example const meter = createMeter(); meter.count("holdfast_deliveries_total", { verdict: "verified" })
 */
export function createMeter(): Meter {
  const counters = new Map<string, Map<string, number>>();
  return {
    count(name, labels = {}, by = 1) {
      const series = counters.get(name) ?? new Map<string, number>();
      const key = labelText(labels);
      series.set(key, (series.get(key) ?? 0) + by);
      counters.set(name, series);
    },
    text: (gauges = []) => [...[...counters].flatMap(counterLines), ...gaugeLines(gauges), ""].join("\n"),
  };
}

function counterLines([name, series]: [string, Map<string, number>]): string[] {
  const head = [`# HELP ${name} ${HELP[name] ?? "Counted since this server started."}`, `# TYPE ${name} counter`];
  return [...head, ...[...series].map(([labels, value]) => `${name}${labels} ${value}`)];
}

function gaugeLines(gauges: readonly Gauge[]): string[] {
  const headed = new Set<string>();
  return gauges.flatMap(({ name, help, labels = {}, value }) => {
    const head = headed.has(name) ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`];
    headed.add(name);
    return [...head, `${name}${labelText(labels)} ${value}`];
  });
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`))}"`,
  );
  return pairs.length ? `{${pairs.join(",")}}` : "";
}
