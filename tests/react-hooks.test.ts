// The React hooks as a server renders them: what they say before anything was heard, and that an id that is not known yet asks for nothing.
import { TriggerProvider, useEventDetails, useEventRunDetails, useRunDetails, useRunStatuses } from "@holdfast/sdk/react";
import { createElement, type ReactElement } from "react";
import { renderToString } from "react-dom/server";
import { expect, test } from "vitest";

/** What a component that uses the hook is given at its first rendering. */
function first<T>(hook: () => T): T {
  const given: T[] = [];
  const Asking = (): null => {
    given.push(hook());
    return null;
  };
  const page: ReactElement = createElement(TriggerProvider, { publicApiKey: "pk_dev_x" }, createElement(Asking));
  renderToString(page);
  return given[0] as T;
}

test.each([undefined, null, ""])("no id yet (%j) asks for nothing, as in v2", (none) => {
  const id = none as string | undefined;
  for (const hook of [useEventDetails, useEventRunDetails, useRunDetails, useRunStatuses]) {
    const given = first(() => hook(id));
    expect(given).toMatchObject({ data: undefined, isPending: true, isLoading: false, fetchStatus: "idle" });
  }
});

test("an id is asked for once the page is in a browser", () => {
  expect(first(() => useRunDetails("run_1"))).toMatchObject({ data: undefined, isLoading: true, fetchStatus: "fetching" });
});
