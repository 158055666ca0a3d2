// Room: ingest. Signing secrets of endpoints, as they are stored: sealed, each for its own row. Called by verify, sources and http.
import { UserFacingError } from "@holdfast/protocol";
import type { Vault } from "../platform/secrets.ts";
import type { EndpointRow } from "../store/store.ts";

/** What a secret of an endpoint is sealed for, so that sealed texts cannot be swapped between rows. */
export function endpointPurpose(row: Pick<EndpointRow, "id">): string {
  return `endpoint:${row.id}`;
}

/** The signing secret stored for an endpoint; null when there is none, or none this server can open. */
export function openSecret(vault: Pick<Vault, "open">, row: EndpointRow): string | null {
  if (row.secretSealed === null) return null;
  try {
    return vault.open(row.secretSealed, endpointPurpose(row));
  } catch (error) {
    if (error instanceof UserFacingError) return null;
    throw error;
  }
}
