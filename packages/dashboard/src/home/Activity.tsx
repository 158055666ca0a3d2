// Room home: runs an hour over the last day, by how they stand. Each bar leads to that hour's runs. 24 bars need no chart library.
import type { Overview } from "@holdfast/protocol";
import { Link } from "@tanstack/react-router";
import { useNarrow } from "../browser/device.ts";
import { count, hourTime } from "../parts/format.ts";
import { Section } from "../parts/layout.tsx";
import { FILL, type Tone } from "../parts/status.tsx";
import { hourSums, joinHours } from "./totals.ts";

const HOUR = 3_600_000;
const STACK: [tone: Tone, word: string][] = [
  ["bad", "failed"],
  ["wait", "waiting"],
  ["run", "running"],
  ["mute", "queued or canceled"],
  ["ok", "completed"],
];

export function Activity({ hours }: { hours: Overview["hours"] }) {
  const each = useNarrow() ? 3 : 1;
  const sums = joinHours(hours, each).map((hour) => ({ hour, sums: hourSums(hour) }));
  const most = Math.max(1, ...sums.map((bar) => bar.sums.all));
  return (
    <Section title="Runs, last 24 h" side={<Legend />}>
      <div className="card px-3 pt-3 pb-1.5">
        <ol className="flex h-28 items-end gap-1">
          {sums.map((bar) => (
            <Bar key={bar.hour.start} {...bar} most={most} length={each} />
          ))}
        </ol>
        <div className="mt-1 flex justify-between text-2xs text-faint" aria-hidden="true">
          {[0, 6, 12, 18, 23].map((at) => (
            <span key={at}>{hours[at] ? hourTime(hours[at].start) : ""}</span>
          ))}
        </div>
      </div>
    </Section>
  );
}

const Legend = () => (
  <ul className="hidden flex-wrap gap-3 text-2xs text-soft sm:flex" aria-hidden="true">
    {STACK.map(([tone, word]) => (
      <li key={tone} className="flex items-center gap-1">
        <span className={`size-2 rounded-sm ${FILL[tone]}`} /> {word}
      </li>
    ))}
  </ul>
);

interface BarProps {
  hour: Overview["hours"][number];
  sums: ReturnType<typeof hourSums>;
  most: number;
  /** Hours it stands for. */
  length: number;
}

function Bar({ hour, sums, most, length }: BarProps) {
  const parts = STACK.filter(([tone]) => sums[tone] > 0);
  const words = parts.map(([tone, word]) => `${count(sums[tone])} ${word}`).join(", ");
  const label = `${hourTime(hour.start)}: ${sums.all === 0 ? "no runs" : words}`;
  const before = new Date(Date.parse(hour.start) + length * HOUR).toISOString();
  return (
    <li className="h-full min-w-0 flex-1">
      <Link
        to="/runs"
        search={{ after: hour.start, before }}
        aria-label={label}
        title={label}
        className="flex h-full flex-col justify-end gap-px rounded-sm bg-sunken hover:bg-hover"
      >
        {parts.map(([tone]) => (
          <span
            key={tone}
            className={`${FILL[tone]} min-h-0.5 rounded-[1px] ${tone === "ok" ? "opacity-55" : "opacity-90"}`}
            style={{ height: `${(sums[tone] / most) * 100}%` }}
          />
        ))}
      </Link>
    </li>
  );
}
