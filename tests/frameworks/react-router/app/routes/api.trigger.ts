import { createRemixRoute } from "@trigger.dev/remix";
import { client } from "../jobs/index.server";

// What v2's docs have, `export const { action } = …` with jobs exported beside it, React Router's compiler refuses.
const route = createRemixRoute(client);
export const action = route.action;
