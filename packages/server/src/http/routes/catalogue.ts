// Room: http. The catalogue of APIs: what each sends, how it signs, and programs that run as shown.
import type { CatalogueEntry, CatalogueSummary } from "@holdfast/protocol";
import { orThrow } from "../call.ts";
import type { CatalogueManifest } from "../rooms.ts";
import { type Route, route } from "../route.ts";

function summaryOf({ id, name, category, summary }: CatalogueManifest): CatalogueSummary {
  return { id, name, category, summary };
}

function entryOf(manifest: CatalogueManifest): CatalogueEntry {
  const { docsUrl, secretEnv, signature, events, samples } = manifest;
  return { ...summaryOf(manifest), docsUrl, secretEnv, signature, events, samples };
}

const common = { method: "GET", tag: "management", access: "server" } as const;

export const catalogueRoutes: Route[] = [
  route({
    ...common,
    path: "/api/v1/catalogue",
    name: "listCatalogue",
    summary: "Every API of the catalogue",
    handle: (call) => call.json(call.rooms.catalogue.map(summaryOf)),
  }),
  route({
    ...common,
    path: "/api/v1/catalogue/:id",
    name: "showCatalogueEntry",
    summary: "One API: events, signature, samples with their code",
    handle: (call) => {
      const id = call.param("id");
      const entry = call.rooms.catalogue.find((manifest) => manifest.id === id);
      return call.json(entryOf(orThrow(entry, "NOT_FOUND", `The catalogue has no entry "${id}".`)));
    },
  }),
];
