// Room: store. Names of the queues whose work any server can do: some for each environment, so that a flood of one is no line that others stand in.
// Called by whoever stores such work, claims it or counts it. The SQL that wakes those who wait for an event writes the name of `eventQueue` itself.

/** Events that wait for their time, and events somebody may wait for. */
export function eventQueue(environmentId: string): string {
  return `@events:${environmentId}`;
}

/** Requests the server makes. */
export function outsideQueue(environmentId: string): string {
  return `@outside:${environmentId}`;
}

/** All of them. `@server`: what was stored by servers that knew no other queue. */
export function serverQueues(environments: readonly { id: string }[]): string[] {
  return ["@server", ...environments.flatMap(({ id }) => [eventQueue(id), outsideQueue(id)])];
}
