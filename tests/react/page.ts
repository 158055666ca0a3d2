// Tests: a page that watches an event and its run with the hooks of `@holdfast/sdk/react`, and writes down what it was shown. The address names key, server and event.
import { TriggerProvider, useEventDetails, useEventRunDetails, useEventRunStatuses, useRunStatuses } from "@holdfast/sdk/react";
import { createElement, useEffect } from "react";
import { createRoot } from "react-dom/client";

const asked = new URLSearchParams(location.search);
const event = asked.get("event") ?? "";
/** Each status text and run status that was on the page, in order. */
const seen: string[] = [];
Object.assign(window, { seen });

function Run() {
  const details = useEventRunDetails(event);
  const statuses = useEventRunStatuses(event);
  const again = useRunStatuses(details.data?.id);
  const found = useEventDetails(event);
  const [first] = statuses.data?.statuses ?? [];
  const text = `${details.data?.status ?? details.status}: ${first ? `${first.label} ${first.state} ${first.data?.progress}` : "nothing"}`;
  useEffect(() => {
    seen.push(text);
  }, [text]);
  const rows = [
    text,
    `tasks: ${details.data?.tasks.map(({ name }) => name).join(", ") ?? ""}`,
    `output: ${JSON.stringify(details.data?.output ?? null)}`,
    `fetch: ${details.fetchStatus} ${found.fetchStatus}`,
    `runs: ${found.data?.runs.length ?? 0}`,
    `same: ${JSON.stringify(again.data?.statuses) === JSON.stringify(statuses.data?.statuses)}`,
    `error: ${details.error?.message ?? found.error?.message ?? "none"}`,
  ];
  return createElement("ul", null, ...rows.map((row) => createElement("li", { key: row }, row)));
}

const provided = { publicApiKey: asked.get("key") ?? "", apiUrl: asked.get("server") ?? "" };
createRoot(document.getElementById("page") as HTMLElement).render(createElement(TriggerProvider, provided, createElement(Run)));
