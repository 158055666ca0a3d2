// Room parts: short notices after an action. Any code may call `toast`; the shell shows the list in a live region.
import { useSyncExternalStore } from "react";
import { after } from "../browser/clock.ts";

export interface Toast {
  id: number;
  tone: "ok" | "bad";
  text: string;
}

const SHOWN_MS = 6_000;
let toasts: readonly Toast[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

function change(next: readonly Toast[]): void {
  toasts = next;
  for (const each of listeners) each();
}

export function toast(tone: Toast["tone"], text: string): void {
  lastId += 1;
  const id = lastId;
  change([...toasts.slice(-2), { id, tone, text }]);
  after(SHOWN_MS, () => dismissToast(id));
}

export const dismissToast = (id: number): void => change(toasts.filter((each) => each.id !== id));

export const useToasts = (): readonly Toast[] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
