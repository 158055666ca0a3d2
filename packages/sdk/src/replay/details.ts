// Room: replay. Values on their way into a report: outputs and presentation, as JSON text within the wire's limits.
// Called for every report, so a task without presentation costs nothing here.
import type { DisplayProperty } from "@holdfast/protocol";
import type { RunTaskOptions } from "../io/task.ts";

/** The longest output of a task or run, in characters of its JSON text. v2's was 3 MB. */
export const OUTPUT_LIMIT = 10 * 1024 * 1024;
const DETAILS_LIMIT = 1024 * 1024;

/** A value's JSON text; undefined stays undefined. Throws when JSON cannot hold it or it is too large. */
export function outputText(value: unknown, what: "Task" | "Run"): string | undefined {
  const text = JSON.stringify(value);
  if (text !== undefined && text.length > OUTPUT_LIMIT) {
    throw new Error(`${what} output is too large. The limit is 10MB, this one has ${(text.length / 1024 / 1024).toFixed(1)}MB.`);
  }
  return text;
}

/** The value that text stands for: what users get, at first and on every replay. */
export function outputValue(text: string | undefined): unknown {
  return text === undefined ? undefined : JSON.parse(text);
}

const SHOWN = ["icon", "description", "properties", "style", "redact", "connectionKey", "parallel"] as const;

/** A task's input as JSON text, taken before its callback may change it. Never throws: input that is not JSON is named instead. */
export function paramsText(params: unknown): string | undefined {
  try {
    return JSON.stringify(params);
  } catch (error) {
    return JSON.stringify(`(not JSON: ${error instanceof Error ? error.message : String(error)})`);
  }
}

/**
 * The presentation of a task as JSON text, or undefined when there is none. Never throws.
 *
 * @param outside the callback URL, first of all because the server looks for it there, and whether it was handed out
 * @param params as {@link paramsText} gave them, where that was before
 */
export function taskDetails(
  options: RunTaskOptions,
  outputProperties: DisplayProperty[] | null | undefined,
  outside?: { callbackUrl: string; handedOut: boolean },
  params: string | undefined = paramsText(options.params),
): string | undefined {
  let details: Record<string, unknown> | undefined = outside && { ...outside };
  for (const name of SHOWN) {
    if (options[name] === undefined) continue;
    details ??= {};
    details[name] = options[name];
  }
  if (outputProperties) details = { ...details, outputProperties };
  if (details === undefined) return params === undefined ? undefined : withinLimit({}, params);
  return withinLimit(details, params);
}

function withinLimit(details: Record<string, unknown>, params: string | undefined): string {
  try {
    const text = withParams(JSON.stringify(details), params);
    if (text.length <= DETAILS_LIMIT) return text;
    return JSON.stringify({ ...details, description: undefined, properties: undefined, params: "(too large to show)" });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const { icon, style, callbackUrl, handedOut } = details;
    return JSON.stringify({ callbackUrl, handedOut, icon, style, params: `(not JSON: ${why})` });
  }
}

function withParams(details: string, params: string | undefined): string {
  if (params === undefined) return details;
  return details === "{}" ? `{"params":${params}}` : `${details.slice(0, -1)},"params":${params}}`;
}
