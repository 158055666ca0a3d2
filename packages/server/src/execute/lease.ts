// Room: execute. How long things are waited for around a lease. Used by the worker, which claims and renews, by resume.ts, and by main at a start.

/** A claim nobody renews is over after this. */
export const LEASE_MS = 15_000;

/**
 * How long an app whose connection broke may take to be back, before its executions count as lost. Measured: it says hello again 60 to 105 ms after a
 * reset, 0.5 s when one follows the other; a busy machine needs more. What is given up too early is done twice, what is given up late waits for nothing.
 */
export const RESUME_MS = 2_000;

/** How long executions of a server that went away are kept for their apps, which dial again at least twice a second while they hold any. */
export const ADOPT_MS = 3_000;
