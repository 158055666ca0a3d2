import { createAstroRoute } from "@trigger.dev/astro";
import { client } from "@/trigger";

import "@/jobs";

export const prerender = false;

//this route is used to send and receive data with Trigger.dev
export const { POST } = createAstroRoute(client);
