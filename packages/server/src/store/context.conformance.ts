// The stores a part of the conformance suite works on; filled in before its tests run.
import type { Store } from "./store.ts";

export interface Context {
  store: Store;
  /** A second server's store on the same data (in memory: the same store). */
  other: Store;
}
