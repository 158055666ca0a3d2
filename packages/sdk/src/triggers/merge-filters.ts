// Room: triggers. A filter made of several: a trigger's own, its source's, the event's. Called by the triggers of sources.
import type { EventFilter } from "./trigger.ts";

/**
 * Filters that must all hold, as one: objects are merged, and of two lists at one place the later counts.
 *
 * @example mergeFilters({ a: { b: [1] } }, { a: { c: [2] } }) // { a: { b: [1], c: [2] } }
 */
export function mergeFilters(...filters: EventFilter[]): EventFilter {
  return filters.reduce<EventFilter>((merged, filter) => {
    const names = new Set([...Object.keys(merged), ...Object.keys(filter)]);
    return Object.fromEntries(
      [...names].map((name) => {
        const [before, after] = [merged[name], filter[name]];
        if (after === undefined) return [name, before];
        const deeper = before !== undefined && !Array.isArray(before) && !Array.isArray(after);
        return [name, deeper ? mergeFilters(before, after) : after];
      }),
    ) as EventFilter;
  }, {});
}
