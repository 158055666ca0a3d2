// Room parts: buttons and small controls with one look. Called by every screen.
import type { ComponentProps, ReactNode } from "react";
import { useState } from "react";
import { after, useNow } from "../browser/clock.ts";
import { copyText } from "../browser/device.ts";
import { ago, fullTime } from "./format.ts";
import { Icon, type IconName } from "./Icon.tsx";

const BUTTON =
  "inline-flex items-center justify-center gap-1.5 rounded-md border text-sm font-medium whitespace-nowrap transition-colors";
const KINDS = {
  plain: "h-7 px-2.5 border-line-strong bg-bg text-ink hover:bg-hover",
  primary: "h-7 px-2.5 border-transparent bg-accent text-accent-ink hover:opacity-90",
  danger: "h-7 px-2.5 border-bad/50 bg-bg text-bad hover:bg-bad-soft",
  quiet: "h-7 px-2 border-transparent text-soft hover:bg-hover hover:text-ink",
  icon: "size-7 border-transparent text-soft hover:bg-hover hover:text-ink",
} as const;

export type ButtonKind = keyof typeof KINDS;
export const buttonClass = (kind: ButtonKind = "plain"): string => `${BUTTON} ${KINDS[kind]}`;

interface ButtonProps extends ComponentProps<"button"> {
  kind?: ButtonKind;
  icon?: IconName;
}

export function Button({ kind = "plain", icon, className = "", children, ...rest }: ButtonProps) {
  return (
    <button type="button" {...rest} className={`${buttonClass(kind)} ${className}`}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

interface CopyProps {
  text: string;
  label: string;
  /** Stands in a line of text and does not make it taller. */
  inline?: boolean;
  children?: ReactNode;
}

/** Copies `text`, and says so for a moment. With children it is a labelled button, without an icon. */
export function CopyButton({ text, label, inline = false, children }: CopyProps) {
  const [state, setState] = useState<"idle" | "done" | "refused">("idle");
  const copy = async () => {
    setState((await copyText(text)) ? "done" : "refused");
    after(1_600, () => setState("idle"));
  };
  const word = { idle: children, done: "Copied", refused: "Select and copy" }[state];
  return (
    <button
      type="button"
      className={`${buttonClass(children ? "plain" : "icon")} ${inline ? "-my-1.5" : ""}`}
      aria-label={label}
      title={label}
      onClick={() => void copy()}
    >
      <Icon name={state === "done" ? "check" : "copy"} className={state === "done" ? "text-ok" : ""} />
      {children && word}
      <span role="status" className="sr-only">
        {state === "done" ? "Copied" : ""}
      </span>
    </button>
  );
}

/** An id, address or command on one line, with a copy button. */
export function CopyLine({ text, label }: { text: string; label: string }) {
  return (
    <span className="flex min-w-0 items-center gap-1 rounded-md border border-line bg-raised pl-2.5">
      <code className="mono min-w-0 flex-1 py-1 [overflow-wrap:anywhere]">{text}</code>
      <CopyButton text={text} label={label} />
    </span>
  );
}

/** A moment, relative; the tooltip has it in full. */
export function When({ at, none = "–" }: { at: string | null; none?: string }) {
  const now = useNow();
  if (at === null) return <span className="text-faint">{none}</span>;
  return (
    <time dateTime={at} title={fullTime(at)} className="whitespace-nowrap">
      {ago(Date.parse(at), now)}
    </time>
  );
}

export function Select({ label, children, ...rest }: ComponentProps<"select"> & { label: string }) {
  return (
    <select
      {...rest}
      aria-label={label}
      title={label}
      className={`field min-w-0 max-sm:flex-1 sm:max-w-44 ${rest.className ?? ""}`}
    >
      {children}
    </select>
  );
}

export const Kbd = ({ children }: { children: ReactNode }) => (
  <kbd className="rounded border border-line-strong bg-raised px-1 font-mono text-2xs text-soft">{children}</kbd>
);
