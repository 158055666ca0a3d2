// Room catalogue: /catalogue. The APIs there are ready presets, sample events and runnable code for.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { catalogueQuery } from "../api/queries.ts";
import { Async, PageHead } from "../parts/layout.tsx";
import { Tag } from "../parts/status.tsx";

export function CataloguePage() {
  const entries = useQuery(catalogueQuery);
  const [text, setText] = useState("");
  const fits = (...texts: string[]) => texts.some((each) => each.toLowerCase().includes(text.toLowerCase()));
  return (
    <>
      <PageHead title="Catalogue" />
      <Async query={entries} what="catalogue">
        {(all) => (
          <div className="px-4 pb-6">
            <input
              type="search"
              aria-label="Search the catalogue"
              placeholder="Name or category…"
              className="field mb-3 w-60 max-w-full"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
            <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
              {all
                .filter((entry) => fits(entry.name, entry.category, entry.summary))
                .map((entry) => (
                  <li key={entry.id} className="card relative p-3 hover:bg-hover">
                    <div className="flex items-center gap-2">
                      <Link
                        to="/catalogue/$id"
                        params={{ id: entry.id }}
                        className="text-base font-semibold after:absolute after:inset-0"
                      >
                        {entry.name}
                      </Link>
                      <Tag>{entry.category}</Tag>
                    </div>
                    <p className="mt-1 text-soft">{entry.summary}</p>
                  </li>
                ))}
            </ul>
          </div>
        )}
      </Async>
    </>
  );
}
