import { storeConformance } from "../store.conformance.ts";
import { createMemoryStore } from "./memory-store.ts";

storeConformance("memory", async () => {
  const { store } = createMemoryStore();
  return { store, other: store, close: () => store.close() };
});
