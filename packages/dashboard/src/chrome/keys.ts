// Room chrome: keyboard shortcuts. useKeys is called by the shell and by lists; typing in a field never triggers one.
import { useEffect, useRef } from "react";
import { after } from "../browser/clock.ts";

const SEQUENCE_MS = 1_200;
const FIELDS = "input, textarea, select, [contenteditable=true]";

export type KeyMap = Record<string, (event: KeyboardEvent) => void>;

const isTyping = (event: KeyboardEvent): boolean =>
  (event.target instanceof Element && event.target.closest(FIELDS) !== null) ||
  document.querySelector("[role=dialog],[role=alertdialog]") !== null;

/**
 * Listens for keys by name: a key in lower case ("j", "?", "enter"), a sequence ("g r"), or with the platform's command key ("mod+k", also while typing).
 * @example useKeys({ "g r": () => navigate({ to: "/runs" }), "mod+k": openPalette })
 */
export function useKeys(keys: KeyMap): void {
  const latest = useRef(keys);
  latest.current = keys;
  useEffect(() => {
    let prefix = "";
    let forget = () => {};
    const press = (event: KeyboardEvent) => {
      const modified = event.metaKey || event.ctrlKey;
      if (event.altKey || event.defaultPrevented || (isTyping(event) && !modified)) return;
      const key = event.key.toLowerCase();
      const name = modified ? `mod+${key}` : key;
      const act = latest.current[prefix === "" ? name : `${prefix} ${name}`] ?? latest.current[name];
      forget();
      prefix = name === "g" ? "g" : "";
      forget = after(SEQUENCE_MS, () => {
        prefix = "";
      });
      if (!act) return;
      event.preventDefault();
      act(event);
    };
    window.addEventListener("keydown", press);
    return () => {
      forget();
      window.removeEventListener("keydown", press);
    };
  }, []);
}
