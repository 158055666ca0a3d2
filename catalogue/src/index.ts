// The catalogue: one entry per API, sorted by id. Read by the server (API, sample sender) and by `holdfast dev` (development secrets).
// Adding an API is adding a folder and a line here.
import { clerk } from "../clerk/manifest.ts";
import type { CatalogueManifest } from "./manifest.ts";

export type { CatalogueManifest, Sample, SampleEvent, SampleFile, SignatureNotes, SignatureScheme } from "./manifest.ts";

/**
 * Every entry, sorted by id.
 *
 * @example catalogue.find((entry) => entry.sources.includes("clerk.com"))?.events.map((event) => event.name)
 */
export const catalogue: CatalogueManifest[] = [clerk];
