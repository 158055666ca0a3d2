import { client } from "@shop/jobs";
import { createAppRoute } from "@trigger.dev/nextjs";

export const { POST, dynamic } = createAppRoute(client);
