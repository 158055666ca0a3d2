// Room: dispatch. Where the work of delivering events waits until they are due: a queue for each environment, so that a flood of one is no line that others
// stand in. Called by send (which stores such work) and by whoever claims or counts it.

/** Any server can do what waits here. */
export function eventQueue(environmentId: string): string {
  return `@events:${environmentId}`;
}

/** The queues whose work any server can do. `@server`: what is of no environment's events, and events stored by servers that knew no other queue. */
export function serverQueues(environments: readonly { id: string }[]): string[] {
  return ["@server", ...environments.map(({ id }) => eventQueue(id))];
}
