// Room parts: page frames: head, sections, facts, empty, loading and failed states. Called by every screen.
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect } from "react";
import { ApiFailure } from "../api/client.ts";
import { Code } from "./Code.tsx";
import { Icon } from "./Icon.tsx";

interface PageHeadProps {
  title: string;
  /** The list this page belongs to. */
  parent?: { to: string; title: string };
  badge?: ReactNode;
  actions?: ReactNode;
}

export function PageHead({ title, parent, badge, actions }: PageHeadProps) {
  useEffect(() => {
    document.title = `${title} · Holdfast`;
  }, [title]);
  return (
    <header className="flex min-h-11 flex-wrap items-center gap-x-3 gap-y-1.5 px-4 pt-3 pb-2">
      <div className="flex min-w-0 flex-1 basis-60 flex-wrap items-center gap-x-2 gap-y-1">
        {parent && (
          <>
            <Link to={parent.to} className="text-soft hover:text-ink hover:underline">
              {parent.title}
            </Link>
            <Icon name="right" size={10} className="text-faint" />
          </>
        )}
        <h1 className="max-w-full min-w-0 truncate text-lg font-semibold" title={title}>
          {title}
        </h1>
        {badge}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}

interface SectionProps {
  title: string;
  /** Its name among the page's regions, where the title alone is not unique. */
  label?: string;
  side?: ReactNode;
  children: ReactNode;
  className?: string;
}

export function Section({ title, label = title, side, children, className = "" }: SectionProps) {
  return (
    <section className={`min-w-0 ${className}`} aria-label={label}>
      <div className="mb-1.5 flex min-h-6 items-center justify-between gap-2">
        <h2 className="text-sm font-semibold">{title}</h2>
        {side}
      </div>
      {children}
    </section>
  );
}

/** Label–value pairs that wrap. */
export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className="flex flex-wrap gap-x-6 gap-y-2">
      {facts.map(([label, value]) => (
        <div key={label} className="min-w-0">
          <dt className="caps">{label}</dt>
          <dd className="min-w-0 [overflow-wrap:anywhere]">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What to say when there is nothing: why, and the one thing to do. */
export function Empty({ title, why, command, action }: { title: string; why: string; command?: string; action?: ReactNode }) {
  return (
    <div className="mx-auto flex max-w-xl flex-col items-center gap-3 px-4 py-14 text-center">
      <p className="text-base font-semibold">{title}</p>
      <p className="text-soft">{why}</p>
      {command && <Code text={command} language="shell" label="command" className="w-full text-left" />}
      {action}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <p role="status" className="flex items-center gap-2 p-6 text-soft">
      <Icon name="spinner" className="spin text-run" />
      Loading {what}…
    </p>
  );
}

export function Failed({ error, what, onRetry }: { error: Error; what: string; onRetry?: () => void }) {
  const hint = error instanceof ApiFailure ? error.hint : null;
  const missing = error instanceof ApiFailure && error.status === 404;
  return (
    <div role="alert" className="mx-auto max-w-xl p-8 text-center">
      <p className="text-base font-semibold">{missing ? `No such ${what}` : `Could not load the ${what}`}</p>
      <p className="mt-1 text-soft [overflow-wrap:anywhere]">
        {error.message} {hint}
      </p>
      {onRetry && !missing && (
        <button type="button" onClick={onRetry} className="mt-3 text-accent hover:underline">
          Try again
        </button>
      )}
    </div>
  );
}

interface AsyncProps<T> {
  query: { data: T | undefined; error: Error | null; refetch(): unknown };
  what: string;
  children(data: T): ReactNode;
}

/** Loading, failed or loaded; data once shown stays while it is fetched again. */
export function Async<T>({ query, what, children }: AsyncProps<T>) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <Failed error={query.error} what={what} onRetry={() => void query.refetch()} />;
  return <Loading what={what} />;
}
