// Room chrome: ⌘K. Pages, jobs, endpoints and runs in one box; runs are searched by the server, so it works with any number of them.

import type { RunSummary } from "@holdfast/protocol";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Dialog } from "radix-ui";
import { type KeyboardEvent, useDeferredValue, useId, useState } from "react";
import { get, inEnvironment, queryString } from "../api/client.ts";
import { endpointsQuery, jobsQuery } from "../api/queries.ts";
import { Icon, type IconName } from "../parts/Icon.tsx";
import { RUN_LOOK } from "../parts/status.tsx";
import { useEnv } from "./environment.tsx";
import { PAGES } from "./pages.ts";

interface Found {
  key: string;
  icon: IconName;
  title: string;
  detail: string;
  href: string;
}

const MOST = 8;

function useFound(text: string): Found[] {
  const env = useEnv();
  const wanted = text.trim().toLowerCase();
  const jobs = useQuery(jobsQuery(env)).data ?? [];
  const endpoints = useQuery(endpointsQuery(env)).data ?? [];
  const runs = useQuery({
    queryKey: ["env", env, "palette", wanted],
    queryFn: ({ signal }) =>
      get<{ items: RunSummary[] }>(inEnvironment(env, "runs") + queryString({ q: wanted, limit: String(MOST) }), signal),
    enabled: wanted.length >= 3,
  }).data?.items;
  const fits = (...texts: string[]) => texts.some((each) => each.toLowerCase().includes(wanted));
  return [
    ...PAGES.filter((page) => fits(page.title)).map((page) => ({
      key: page.to,
      icon: page.icon,
      title: page.title,
      detail: "page",
      href: page.to,
    })),
    ...jobs
      .filter((job) => fits(job.id, job.name))
      .slice(0, MOST)
      .map(
        (job): Found => ({
          key: `job:${job.id}`,
          icon: "jobs",
          title: job.name,
          detail: job.id,
          href: `/jobs/${encodeURIComponent(job.id)}`,
        }),
      ),
    ...endpoints
      .filter((each) => wanted !== "" && fits(each.id, each.title))
      .slice(0, MOST)
      .map(
        (each): Found => ({
          key: `end:${each.id}`,
          icon: "endpoints",
          title: each.title,
          detail: each.id,
          href: `/endpoints/${encodeURIComponent(each.id)}`,
        }),
      ),
    ...(wanted.length >= 3 ? (runs ?? []) : []).map((run): Found => {
      const look = RUN_LOOK[run.status];
      return { key: run.id, icon: look.icon, title: `${run.jobName}: ${look.word}`, detail: run.id, href: `/runs/${run.id}` };
    }),
  ];
}

export function Palette({ open, onOpenChange }: { open: boolean; onOpenChange(open: boolean): void }) {
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-sunken/70" />
        <Dialog.Content
          aria-describedby={undefined}
          className="card fixed top-[12vh] left-1/2 z-50 flex max-h-[70vh] w-[min(36rem,94vw)] -translate-x-1/2 flex-col overflow-hidden shadow-2xl"
        >
          <Dialog.Title className="sr-only">Find anything</Dialog.Title>
          <Finder onDone={() => onOpenChange(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Finder({ onDone }: { onDone(): void }) {
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const found = useFound(useDeferredValue(text));
  const navigate = useNavigate();
  const listId = useId();
  const current = found[Math.min(at, found.length - 1)];
  const open = (each: Found) => {
    onDone();
    void navigate({ to: each.href });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((now) => (Math.min(now, found.length - 1) + step + found.length) % Math.max(found.length, 1));
    if (event.key === "Enter" && current) open(current);
    if (step || event.key === "Enter") event.preventDefault();
  };
  return (
    <>
      <label className="flex items-center gap-2 border-b border-line px-3">
        <Icon name="search" className="text-faint" />
        <input
          role="combobox"
          aria-expanded="true"
          aria-controls={listId}
          aria-activedescendant={current ? `${listId}-${current.key}` : undefined}
          aria-label="Find a page, job, endpoint or run"
          placeholder="Find a page, job, endpoint or run id…"
          className="h-11 flex-1 bg-transparent outline-none placeholder:text-faint"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </label>
      <div role="listbox" id={listId} aria-label="Found" tabIndex={-1} className="overflow-auto p-1">
        {found.map((each) => (
          <Option
            key={each.key}
            id={`${listId}-${each.key}`}
            found={each}
            selected={each === current}
            onOpen={() => open(each)}
          />
        ))}
        {found.length === 0 && (
          <p className="p-4 text-soft">Nothing here is called “{text}”. Runs are found by id, job or event.</p>
        )}
      </div>
    </>
  );
}

function Option({ id, found, selected, onOpen }: { id: string; found: Found; selected: boolean; onOpen(): void }) {
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents lint/a11y/useFocusableInteractive: the combobox input holds focus and handles the keys.
    <div
      role="option"
      id={id}
      aria-selected={selected}
      onClick={onOpen}
      className={`flex cursor-pointer items-center gap-2 rounded-md px-2.5 py-1.5 ${selected ? "bg-selected" : "hover:bg-hover"}`}
    >
      <Icon name={found.icon} className="text-soft" />
      <span className="min-w-0 flex-1 truncate">{found.title}</span>
      <span className="mono max-w-1/2 truncate text-faint">{found.detail}</span>
    </div>
  );
}
