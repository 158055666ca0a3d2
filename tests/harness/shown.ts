// Tests: what of a run must be the same on both SDKs, for comparing: its tasks without ids and times, and texts without what differs from one run to the next.
import type { TaskView } from "@holdfast/protocol";

/** A task as both SDKs must show it, without ids and times. */
export function shown({
  name,
  key,
  icon,
  description,
  properties,
  params,
  style,
  noop,
  output,
  status,
  attempts,
  error,
}: TaskView): object {
  const told = error ? { name: error.name, message: error.message } : null;
  return { name, key, icon, description, properties, params, style, noop, output, status, attempts, error: told };
}

/** What differs from one run to the next: ids, keys, times, random numbers. */
export function steady(text: string): string {
  return text
    .replace(/\b(?:evt|run|task)_[0-9a-z]+|[0-9a-f]{64}(?:\.\d)?/g, "ID")
    .replace(/"tag":"[^"]*"/g, '"tag":"…"')
    .replace(/"runs":\[[^\]]*\]/g, '"runs":[]')
    .replace(/"2\d{3}-\d\d-\d\dT[^"]*Z"/g, '"TIME"')
    .replace(/("label":"(?:delayUntil|seconds)","text":)"[^"]*"/g, '$1"…"')
    .replace(/("name":"(?:random|Kept)".*?"output":)\d+/g, '$1"N"');
}
