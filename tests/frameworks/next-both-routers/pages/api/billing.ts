import { createPagesRoute } from "@trigger.dev/nextjs";
import { billing } from "@/trigger";

import "@/jobs/bills";

//this route is used to send and receive data with Trigger.dev
const { handler, config } = createPagesRoute(billing);

export { config };

export default handler;
