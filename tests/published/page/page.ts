// Tests: a page of a v2 user that watches an event and its run with the published hooks. The address names key, server and event.
// Its two halves have a provider each: the hooks of a run's details and those of its statuses take one cache entry for both, and break each other.
import { TriggerProvider, useEventDetails, useEventRunDetails, useEventRunStatuses, useRunDetails } from "@trigger.dev/react";
import { createElement, type FunctionComponent } from "react";
import { createRoot } from "react-dom/client";

const asked = new URLSearchParams(location.search);
const event = asked.get("event") ?? "";

const statusesOf = ({ data }: ReturnType<typeof useEventDetails>) => data?.runs.map(({ status }) => status).join(", ");
const list = (...rows: string[]) => createElement("ul", null, ...rows.map((row) => createElement("li", { key: row }, row)));

function Details() {
  const found = useEventDetails(event);
  const details = useEventRunDetails(event);
  const again = useRunDetails(details.data?.id);
  return list(
    `${again.data?.status} tasks: ${details.data?.tasks.map(({ name }) => name).join(", ") ?? ""}`,
    `output: ${JSON.stringify(details.data?.output ?? null)}`,
    `event: ${found.data?.name}, runs: ${statusesOf(found)}`,
    `error: ${found.error ? String(found.error) : "none"}`,
  );
}

function Statuses() {
  const { run, statuses } = useEventRunStatuses(event);
  const found = useEventDetails(event);
  const [first] = statuses ?? [];
  const text = first ? `${first.label} ${first.state} ${String(first.data?.progress)}` : "nothing";
  return list(`${run?.status}: ${text}, event's run: ${statusesOf(found)}`);
}

const provided = { publicApiKey: asked.get("key") ?? "", apiUrl: asked.get("server") ?? "" };
const provider = TriggerProvider as FunctionComponent<typeof provided>;
const halves = [Details, Statuses].map((half) => createElement(provider, { ...provided, key: half.name }, createElement(half)));
createRoot(document.getElementById("page") as HTMLElement).render(halves);
