// Bench of peers: its pure parts: reading /proc, checking results, statistics over rounds, the table, the plot, the arithmetic of scale; and that the
// pages say what figures.json says.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../tests/harness/processes.ts";
import { median, percentile } from "../statistics.ts";
import { type Comparison, FIGURES, overRounds, type PeerResult, type Round } from "./figures.ts";
import { pagesOf, recorded, withSection } from "./pages.ts";
import type { Job, Told } from "./peer.ts";
import { type ProcessStat, parsedPss, parsedStat, treeOf } from "./process-tree.ts";
import { formatted, report } from "./report.ts";
import { ASSUMED, costsOf, needsOf, scaleReport } from "./scale.ts";
import { apart, plot } from "./svg.ts";
import { complaints } from "./verify.ts";

const round = (figures: Round["figures"], curve: number[] = [], failures: Round["failures"] = []): Round => ({
  figures,
  curve,
  failures,
});
const peer = (name: string, part: Partial<PeerResult>): PeerResult => ({
  ...{ name, version: "1", steps: "recorded step", sleepsInside: true, records: "everything", settings: "none" },
  ...round({}),
  ...part,
});
const COSTS = {
  // Of runs of 20 steps: a step alone is 0.2 ms of server, 0.1 of app, 0.2 of database, 0.05 commits, 1,000 and 500 bytes.
  ...{ cpuStep: 0.35, cpuStepApp: 0.12, cpuStepDatabase: 0.225, commitsStep: 0.055, walStep: 1_250, storedStep: 600 },
  ...{ cpuJob: 1, cpuJobApp: 0.4, cpuJobDatabase: 0.5, commitsJob: 0.1, walJob: 5_000, storedJob: 2_000 },
};
const COMPARISON: Comparison = {
  machine: "2 cores",
  rounds: 3,
  limits: [{ name: "commits/s, 50 writers", value: 10_000, unit: "/s" }],
  peers: [
    peer("Holdfast", { figures: { ...COSTS, jobs: 2_000, loneP50: 4, loneP99: 9 }, curve: [0.5, 0.5] }),
    peer("<Other>", {
      figures: { jobs: 500, loneP50: 8 },
      failures: [{ workload: "sleepers", reason: "3 sleepers\nwoke early" }],
    }),
  ],
};

describe("statistics", () => {
  it("take the value below which a part lies", () => {
    expect([percentile([3, 1, 2], 0), median([3, 1, 2]), percentile([3, 1, 2], 1)]).toEqual([1, 2, 3]);
    expect(median([])).toBeNaN();
  });

  it("over rounds are medians of what the rounds have, and name each failure once", () => {
    const failure = { workload: "jobs", reason: "3 of 5 jobs were not performed" };
    const whole = overRounds([
      round({ jobs: 1, steps: 7 }, [1, 9]),
      round({ jobs: 3 }, [], [failure]),
      round({ jobs: 2 }, [3, 5], [failure]),
    ]);
    expect(whole.figures).toEqual({ jobs: 2, steps: 7 });
    expect(whole.curve).toEqual([3, 9]);
    expect(whole.failures).toEqual([failure]);
  });
});

describe("process trees", () => {
  const stat = (pid: number, parent: number): ProcessStat => ({ pid, parent, ticks: 0, rssPages: 0 });

  it("read a stat line whose name holds spaces and parentheses", () => {
    const fields = [1, 7, 7, 0, -1, 4194304, 1, 2, 3, 4, 10, 20, 30, 40, 20, 0, 1, 0, 5, 6, 777, 8];
    // Field 3 is the state, 4 the parent.
    const line = `42 (a ) (b) S ${fields.join(" ")}`;
    expect(parsedStat(line)).toMatchObject({ pid: 42, parent: 1, ticks: 100, rssPages: 777 });
  });

  it("reach down to the roots of others, whatever the order", () => {
    const all = [stat(5, 4), stat(4, 1), stat(1, 0), stat(2, 1), stat(3, 2), stat(9, 0)];
    expect(treeOf(all, [1], [4]).sort()).toEqual([1, 2, 3]);
    expect(treeOf(all, [4], [1]).sort()).toEqual([4, 5]);
    expect(treeOf(all, [], [])).toEqual([]);
  });

  it("find the proportional size", () => {
    expect(parsedPss("Rss: 9 kB\nPss:     1234 kB\nPss_Anon: 5 kB\n")).toBe(1234);
    expect(parsedPss("Rss: 9 kB\n")).toBeNaN();
  });
});

describe("a workload's result", () => {
  const jobs: Job[] = [
    { kind: "noop", id: "a" },
    { kind: "steps", id: "b", steps: 3 },
    { kind: "sleep", id: "c", due: 0 },
  ];
  const told = (part: Partial<Told>[]): Map<string, Told> =>
    new Map(jobs.flatMap(({ kind, id }, i) => (part[i] ? [[id, { job: kind, id, ...part[i] }] as const] : [])));
  const good = [{}, { steps: [1, 1, 1] }, { lateMs: 0 }];

  it("is fine when everything was performed and recorded, also where the peer keeps no record", () => {
    const seen = { told: told(good), open: 0, completed: 3, expectedCompleted: 3 };
    expect(complaints(jobs, "recorded step", seen)).toEqual([]);
    expect(complaints(jobs, "recorded step", { ...seen, completed: undefined })).toEqual([]);
  });

  it("counts the gaps of a chain of jobs", () => {
    const seen = { told: told([{}, { steps: [1, 1] }, { lateMs: 5 }]), open: 0, completed: 5, expectedCompleted: 5 };
    expect(complaints(jobs, "a job a step", seen)).toEqual([]);
    expect(complaints(jobs, "recorded step", seen)).toEqual(["1 runs did not perform all their steps"]);
  });

  it("is refused for what is missing, early or miscounted", () => {
    const seen = { told: told([{}, { steps: [1, 1, 1] }]), open: 1, completed: 2, expectedCompleted: 3 };
    expect(complaints(jobs, "recorded step", seen)).toEqual([
      "1 of 3 jobs were not performed",
      "its record has 1 jobs as not completed",
      "its record has 2 completed jobs where there should be 3",
    ]);
    const early = { told: told([{}, { steps: [1, 1, 1] }, { lateMs: -1 }]), open: 0, completed: 3, expectedCompleted: 3 };
    expect(complaints(jobs, "recorded step", early)).toEqual(["1 sleepers woke before they were due"]);
  });
});

describe("the report", () => {
  const text = report(COMPARISON);

  it("shows each figure with its unit, what it is of ours, and ours against the raw limit", () => {
    expect(text).toContain(`| ${FIGURES.jobs.title} | 2,000/s | 500/s (0.25 ×) | 0.20 × commits/s, 50 writers |`);
    expect(text).toContain(`| ${FIGURES.loneP99.title} | 9.00 ms | – |  |`);
  });

  it("leaves out what nobody measured, and never a failure", () => {
    expect(text).not.toContain(FIGURES.lateP50.title);
    expect(text).toContain("- <Other>, sleepers: 3 sleepers woke early");
  });

  it("writes numbers as people read them", () => {
    expect([
      formatted(1234.5, "/s"),
      formatted(0.614, "ms"),
      formatted(12.34, "ms"),
      formatted(1234, "bytes"),
      formatted(undefined, "ms"),
    ]).toEqual(["1,235/s", "0.61 ms", "12.3 ms", "1,234 bytes", "–"]);
  });
});

describe("the plot", () => {
  const svg = plot(COMPARISON);

  it("draws bars in proportion from zero, and says what was not measured", () => {
    const widths = [...svg.matchAll(/width="([\d.]+)" height="16" rx="2" class="(?:ours|peer)"/g)].map((match) =>
      Number(match[1]),
    );
    expect((widths[0] ?? 0) / (widths[1] ?? 1)).toBeCloseTo(4, 1);
    expect(svg).toContain("not measured");
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it("is well-formed: names are escaped, every group is closed", () => {
    expect(svg).toContain("&lt;Other>");
    expect(svg.match(/<g /g)?.length).toBe(svg.match(/<\/g>/g)?.length);
  });

  it("keeps labels apart", () => {
    expect(apart([10, 50, 12], 15)).toEqual([10, 50, 25]);
  });
});

describe("the arithmetic of scale", () => {
  it("adds steps and the runs they belong to", () => {
    const costs = costsOf(COMPARISON);
    if (!costs) throw new Error("costs are missing");
    const needs = needsOf(1_000, costs);
    // 1,000 steps of 0.2 ms and 100 runs of 0.6 ms in the server, at 60 %.
    expect(needs.serverCores).toBeCloseTo(0.26 / ASSUMED.busy);
    expect(needs.databaseCores).toBeCloseTo(0.25 / ASSUMED.busy);
    expect(needs).toMatchObject({ runs: 100, walBytes: 1_500_000, primaries: 1 });
    expect(needs.commits).toBeCloseTo(60);
    expect(needs.storedBytesADay).toBe(700_000 * 86_400);
  });

  it("takes one more primary for each 32 cores or 150 MB/s", () => {
    const costs = costsOf(COMPARISON);
    if (!costs) throw new Error("costs are missing");
    // 100,000 steps/s: 42 cores, 150 MB/s.
    expect(needsOf(100_000, costs).primaries).toBe(2);
    const chatty = { ...costs, step: { ...costs.step, walBytes: 4_000 } };
    expect(needsOf(100_000, chatty).primaries).toBe(3);
  });

  it("says so when a figure is missing", () => {
    const without = { ...COMPARISON, peers: [peer("Holdfast", { figures: { jobs: 1 } })] };
    expect(costsOf(without)).toBeUndefined();
    expect(scaleReport(without)).toContain("did not give every figure");
  });
});

describe("the pages", () => {
  it("say what figures.json says", () => {
    for (const [path, text] of Object.entries(pagesOf(recorded())))
      expect(readFileSync(join(ROOT, path), "utf8"), path).toBe(text);
  });

  it("keep what stands outside of the marks", () => {
    const page = "before\n<!-- x: from here -->\nold\n<!-- x: to here -->\nafter\n";
    expect(withSection(page, "x", "new")).toBe("before\n<!-- x: from here -->\n\nnew\n\n<!-- x: to here -->\nafter\n");
    expect(() => withSection("nothing", "x", "new")).toThrow(/lacks/);
  });
});
