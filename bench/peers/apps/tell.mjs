// Bench, inside of a peer's app: the one way every app tells the bench what happened (a line of JSON on stdout), and the one way a step is timed.
// Copied with the apps into the directory the peers are installed in.

/** @param {object} told `{ job, id, …times in shared-clock milliseconds }` */
export const tell = (told) => process.stdout.write(`${JSON.stringify(told)}\n`);

/** Milliseconds on a clock all processes of the machine share. */
export const clock = () => Number(process.hrtime.bigint()) / 1e6;

/** A job of so many steps, one after the other; `step(i)` resolves once the peer has recorded step i. */
export async function steps({ id, steps: count }, step) {
  const firstStepAt = clock();
  const times = [];
  let from = firstStepAt;
  for (let i = 0; i < count; i++) {
    await step(i);
    const done = clock();
    times.push(done - from);
    from = done;
  }
  tell({ job: "steps", id, firstStepAt, lastStepDoneAt: from, steps: times });
}

const chains = new Map();
/**
 * The same for peers whose unit is the job: step i is a job, and its end adds the next. A step lasts from one job's start to the next one's,
 * so a chain of n jobs tells n - 1 times.
 */
export async function link({ id, steps: count, index = 0 }, add) {
  const now = clock();
  const chain = chains.get(id) ?? { firstStepAt: now, from: now, steps: [] };
  chains.set(id, chain);
  if (index > 0) chain.steps.push(now - chain.from);
  chain.from = now;
  if (index + 1 < count) return add({ kind: "steps", id, steps: count, index: index + 1 });
  chains.delete(id);
  tell({ job: "steps", id, firstStepAt: chain.firstStepAt, lastStepDoneAt: now, steps: chain.steps });
}

/** A sleeper, from its first line: says that it sleeps, sleeps durably by `sleep(milliseconds)`, says how late it woke. */
export async function sleeper({ id, due }, sleep) {
  const left = due - Date.now();
  if (left > 0) tell({ job: "asleep", id });
  await sleep(Math.max(0, left));
  woke({ id, due });
}

/** A sleeper has come back. */
export const woke = ({ id, due }) => tell({ job: "sleep", id, lateMs: Date.now() - due });
