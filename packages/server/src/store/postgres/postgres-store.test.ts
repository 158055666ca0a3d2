import { storeConformance } from "../store.conformance.ts";
import { startTestDatabase } from "./database.conformance.ts";

storeConformance("PostgreSQL", async () => {
  const database = await startTestDatabase();
  const { store, connection } = await database.store();
  return { store, other: database.another(connection).store, close: () => database.stop() };
});
