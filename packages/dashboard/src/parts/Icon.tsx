// Room parts: the icons, drawn on a 16×16 grid with one stroke. Decorative only: a word always stands beside one, or an aria-label.
// Called everywhere. An icon name a job gave that we do not know becomes `step`.

const PATHS = {
  home: "M2.5 7 8 2.5 13.5 7v6.5h-4v-4h-3v4h-4z",
  runs: "M2.5 4h11M2.5 8h7M2.5 12h9",
  deliveries: "M8 2.5v6.5M5.3 6.5 8 9.2l2.7-2.7M2.5 9.5v4h11v-4",
  endpoints: "M6.5 9.5 9.5 6.5M7 4.5l1.5-1.5a3.2 3.2 0 0 1 4.5 4.5L11.5 9M9 11.5 7.5 13A3.2 3.2 0 0 1 3 8.5L4.5 7",
  integrations: "M6 2.5v3M10 2.5v3M4.5 5.5h7v2.5a3.5 3.5 0 0 1-7 0zM8 11.5v2.5",
  jobs: "M2.5 5.5h11v7.5h-11zM6 5.5V3h4v2.5M2.5 9h11",
  environments: "M8 2.5 13.5 5.5 8 8.5 2.5 5.5zM2.5 8.5 8 11.5l5.5-3M2.5 11 8 14l5.5-3",
  catalogue: "M3 2.5h10v11H3zM6 2.5v11M8.5 5.5h2.5M8.5 8h2.5",
  check: "M3 8.5 6.5 12 13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  clock: "M8 4.5V8l2.5 1.5M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0z",
  hourglass: "M4.5 2.5h7M4.5 13.5h7M5 2.5c0 3 3 4 3 5.5s-3 2.5-3 5.5M11 2.5c0 3-3 4-3 5.5s3 2.5 3 5.5",
  spinner: "M8 2.5a5.5 5.5 0 1 1-5.5 5.5",
  queue: "M3 4h10M3 8h10M3 12h5",
  stop: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM4.2 4.2l7.6 7.6",
  alarm: "M8 5v3.5M8 11v.2M8 2 14.5 13.5h-13z",
  key: "M7.5 8a2.5 2.5 0 1 1-5 0 2.5 2.5 0 0 1 5 0zM7.5 8h6v2.5M11 8v2",
  shield: "M8 2.2 13 4v4c0 3-2.2 5-5 6-2.8-1-5-3-5-6V4zM5.8 8l1.6 1.6 2.8-3",
  shieldOff: "M8 2.2 13 4v4c0 3-2.2 5-5 6-2.8-1-5-3-5-6V4zM6.2 6.2l3.6 3.6M9.8 6.2 6.2 9.8",
  twin: "M5.5 5.5h8v8h-8zM2.5 10.5v-8h8",
  copy: "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
  play: "M5 3.5v9l7-4.5z",
  again: "M12.5 6A5 5 0 1 0 13 9.5M13 2.5V6H9.5",
  log: "M3 3.5h10M3 6.5h10M3 9.5h6M3 12.5h8",
  bolt: "M9 2 4 9h3.5L7 14l5-7H8.5z",
  step: "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  right: "M6 3.5 10.5 8 6 12.5",
  down: "M3.5 6 8 10.5 12.5 6",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.5 10.5 13.5 13.5",
  sun: "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM8 1.5V3M8 13v1.5M1.5 8H3M13 8h1.5M3.4 3.4l1 1M11.6 11.6l1 1M12.6 3.4l-1 1M4.4 11.6l-1 1",
  moon: "M13 9.5A5.5 5.5 0 1 1 6.5 3 4.5 4.5 0 0 0 13 9.5z",
  screen: "M2.5 3h11v8h-11zM6 13.5h4M8 11v2.5",
  keyboard: "M1.5 4.5h13v7.5h-13zM4 7h.2M6.6 7h.2M9.2 7h.2M11.8 7h.2M5 9.7h6",
  webhook: "M8 2.5a2.5 2.5 0 0 1 2 4l2 3.5M4 9.5a2.5 2.5 0 1 0 2.5 3H11a2.2 2.2 0 1 0 1-4.2M8 5 5 10.5",
  mail: "M2 4h12v8.5H2zM2 4.5 8 9l6-4.5",
  person: "M8 2.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5zM3 13.5c.5-3 2.5-4 5-4s4.5 1 5 4",
  flask: "M6 2.5h4M6.5 2.5v4L3 13.5h10L9.5 6.5v-4M5 10.5h6",
  server: "M2.5 3h11v4h-11zM2.5 9h11v4h-11zM5 5h.2M5 11h.2",
  leave: "M6.5 3H3v10h3.5M7 8h6M10.5 5.5 13 8l-2.5 2.5",
  list: "M3 4h.2M6 4h7M3 8h.2M6 8h7M3 12h.2M6 12h7",
  tree: "M3 3v10M3 5.5h4M3 11h4M9 5.5h4M9 11h4",
  send: "M2.5 8 13.5 3 10.5 13.5 7.5 9z",
} as const;

export type IconName = keyof typeof PATHS;

/** The icon of a task, from the free-form name its author gave. */
export const taskIcon = (name: string | null): IconName => (name !== null && name in PATHS ? (name as IconName) : "step");

export function Icon({ name, className = "", size = 14 }: { name: IconName; className?: string; size?: number }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 16 16" width={size} height={size} className={`shrink-0 ${className}`} focusable="false">
      <path d={PATHS[name]} fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" />
    </svg>
  );
}

/** The mark: an H held by a knot of rope. */
export function Mark({ size = 22 }: { size?: number }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 32 32" width={size} height={size} focusable="false">
      <rect width="32" height="32" rx="7" fill="#0b6b63" />
      <path d="M11 7v14M21 7v14M11 14h10" stroke="#fff" strokeWidth="3" strokeLinecap="round" fill="none" />
      <path
        d="M6.5 24.5c2 2.5 7 2.5 9.5 0 2.5 2.5 7.5 2.5 9.5 0"
        stroke="#7ee0d2"
        strokeWidth="2"
        strokeLinecap="round"
        fill="none"
      />
    </svg>
  );
}
