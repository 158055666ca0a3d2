// Room browser: clipboard, storage, theme and downloads. Called by components; each answers instead of throwing when the browser says no.
import { useSyncExternalStore } from "react";

export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`holdfast.${key}`);
    else localStorage.setItem(`holdfast.${key}`, value);
  } catch {
    // Storage is blocked: the choice lives as long as the page.
  }
}

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(`holdfast.${key}`);
  } catch {
    return null;
  }
}

/** Copies text; false when the browser refuses. The selection path serves plain-http origins, where there is no clipboard API. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text: string): boolean {
  const area = document.createElement("textarea");
  area.value = text;
  area.setAttribute("readonly", "");
  area.style.cssText = "position:fixed;opacity:0;top:0;left:0";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

/** Leaves for another page. */
export function goTo(url: string): void {
  window.location.assign(url);
}

/** Where the person is. */
export const here = (): string => window.location.href;

/** Hands the person a file made in the page. */
export function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const themeListeners = new Set<() => void>();

function theme(): Theme {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function setTheme(chosen: Theme): void {
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  remember("theme", chosen === "system" ? null : chosen);
  for (const each of themeListeners) each();
}

export const useTheme = (): Theme =>
  useSyncExternalStore((listener) => {
    themeListeners.add(listener);
    return () => themeListeners.delete(listener);
  }, theme);

/** How this keyboard's command key is written. */
export const COMMAND_KEY = /mac|iphone|ipad/i.test(navigator.userAgent) ? "⌘" : "Ctrl ";

const NARROW = "(max-width: 51.99rem)";

/** True on phones and narrow windows, where tables become cards and panes stack. */
export const useNarrow = (): boolean =>
  useSyncExternalStore(
    (listener) => {
      const query = window.matchMedia(NARROW);
      query.addEventListener("change", listener);
      return () => query.removeEventListener("change", listener);
    },
    () => window.matchMedia(NARROW).matches,
  );
