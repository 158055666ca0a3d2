// Room: store. Names of the queues work waits in: those of apps, which need one that can be reached, and those whose work any server can do, some for each
// environment, so that a flood of one is no line that others stand in. Called by whoever stores such work, claims it or counts it. An app's id is the queue of
// its runs, and of how they ended. The SQL that wakes those who wait for an event writes the name of `eventQueue` itself.

const NOTIFY = "@notify:";

/** Requests that an app is to verify, which needs no room for a run. */
export function verifyQueue(appId: string): string {
  return `@verify:${appId}`;
}

/** How runs ended, as an app is told, which needs no room for a run either. */
export function notifyQueue(appId: string): string {
  return `${NOTIFY}${appId}`;
}

/** The app such a line is of. Servers of a version before this one had it stand in the line of the app's runs. */
export function notifiedApp(queue: string): string {
  return queue.startsWith(NOTIFY) ? queue.slice(NOTIFY.length) : queue;
}

/** Events that wait for their time, and events somebody may wait for. */
export function eventQueue(environmentId: string): string {
  return `@events:${environmentId}`;
}

/** Requests the server makes. */
export function outsideQueue(environmentId: string): string {
  return `@outside:${environmentId}`;
}

/** All queues of any server's work. `@server`: what was stored by servers that knew no other queue. */
export function serverQueues(environments: readonly { id: string }[]): string[] {
  return ["@server", ...environments.flatMap(({ id }) => [eventQueue(id), outsideQueue(id)])];
}

/** All queues there are. */
export function allQueues(environments: readonly { id: string }[], apps: readonly { id: string }[]): string[] {
  return [...serverQueues(environments), ...apps.flatMap(({ id }) => [id, verifyQueue(id), notifyQueue(id)])];
}
