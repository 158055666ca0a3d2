// Room parts: shows code, JSON and other people's text. Called wherever a payload, output, error or sample appears.
// Promises: everything becomes text nodes, never markup; large values show a first part at once and the rest on demand.
import { useMemo, useState } from "react";
import { download } from "../browser/device.ts";
import { CopyButton } from "./controls.tsx";
import { bytes } from "./format.ts";
import { type Language, shownJson, tokens } from "./highlight.ts";

const FIRST_CHARS = 20_000;
const MOST_CHARS = 2_000_000;
/** Above this, one colour: a span a word would make the page slow. */
const COLORED_CHARS = 200_000;

export function Colored({ text, language }: { text: string; language: Language }) {
  const parts = useMemo(() => tokens(language === "json" ? shownJson(text) : text, language), [text, language]);
  return parts.map((part, at) =>
    part.kind === "plain" ? (
      part.text
    ) : (
      // biome-ignore lint/suspicious/noArrayIndexKey: a token is its position in the text.
      <span key={at} className={`tok-${part.kind}`}>
        {part.text}
      </span>
    ),
  );
}

interface CodeProps {
  text: string;
  language?: Language;
  label: string;
  wrap?: boolean;
  className?: string;
}

/** A block of text with a copy button. */
export function Code({ text, language = "plain", label, wrap = false, className = "" }: CodeProps) {
  const [limit, setLimit] = useState(FIRST_CHARS);
  const shown = text.length > limit ? text.slice(0, limit) : text;
  return (
    <div className={`group relative rounded-md border border-line bg-raised ${className}`}>
      <section
        aria-label={label}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a block that scrolls must be reachable by keyboard.
        tabIndex={0}
        className="max-h-128 overflow-auto rounded-md"
      >
        <pre className={`mono p-2.5 pr-9 leading-relaxed ${wrap ? "whitespace-pre-wrap [overflow-wrap:anywhere]" : ""}`}>
          <Colored text={shown} language={shown.length > COLORED_CHARS ? "plain" : language} />
        </pre>
      </section>
      <span className="absolute top-1 right-1 rounded-md bg-raised">
        <CopyButton text={text} label={`Copy ${label}`} />
      </span>
      {shown.length < text.length && (
        <More shown={shown.length} text={text} label={label} onMore={() => setLimit(Math.min(limit * 10, MOST_CHARS))} />
      )}
    </div>
  );
}

function More({ shown, text, label, onMore }: { shown: number; text: string; label: string; onMore(): void }) {
  return (
    <p className="flex flex-wrap items-center gap-3 border-t border-line px-2.5 py-1.5 text-xs text-soft">
      Showing {bytes(shown)} of {bytes(text.length)}.
      {shown < MOST_CHARS && (
        <button type="button" className="text-accent hover:underline" onClick={onMore}>
          Show more
        </button>
      )}
      <button
        type="button"
        className="text-accent hover:underline"
        onClick={() => download(`${label.replaceAll(/\W+/g, "-")}.json`, text)}
      >
        Download all
      </button>
    </p>
  );
}

/** Any JSON value, pretty; `undefined` says there is none. */
export function Json({ value, label, none = "None." }: { value: unknown; label: string; none?: string }) {
  const text = useMemo(() => (value === undefined ? null : JSON.stringify(value, null, 2)), [value]);
  if (text === null || text === undefined) return <p className="text-faint">{none}</p>;
  return <Code text={text} language="json" label={label} wrap />;
}

/** Parses text as JSON when it is some, so bodies read well. */
export function prettyBody(text: string): { text: string; language: Language } {
  try {
    return { text: JSON.stringify(JSON.parse(text), null, 2), language: "json" };
  } catch {
    return { text, language: "plain" };
  }
}

/** An error as a card: name, message, and the stack folded away. */
export function ErrorCard({ error, title }: { error: { message: string; name?: string; stack?: string }; title?: string }) {
  return (
    <div className="rounded-md border border-bad/40 bg-bad-soft p-2.5">
      {title && <p className="caps mb-1 text-bad">{title}</p>}
      <p className="font-medium whitespace-pre-wrap text-bad [overflow-wrap:anywhere]">
        {error.name && error.name !== "Error" ? `${error.name}: ` : ""}
        {error.message}
      </p>
      {error.stack && (
        <details className="mt-2">
          <summary className="w-fit text-xs text-soft">Stack</summary>
          <pre className="mono mt-1 overflow-x-auto text-xs whitespace-pre-wrap text-soft [overflow-wrap:anywhere]">
            {error.stack}
          </pre>
        </details>
      )}
    </div>
  );
}
