// Bench: Restate's app, a service endpoint as its guide has it.
import * as restate from "@restatedev/restate-sdk";
import { sleeper, steps, tell } from "./tell.mjs";

// The SDK calls it without asking for a Node that has it; Node 20 has it not.
Promise.withResolvers ??= () => {
  let settle;
  const promise = new Promise((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
};

const jobs = restate.service({
  name: "jobs",
  handlers: {
    noop: async (_ctx, { id }) => tell({ job: "noop", id }),
    steps: (ctx, job) => steps(job, (i) => ctx.run(`step ${i}`, () => i)),
    sleep: (ctx, job) => sleeper(job, (ms) => ctx.sleep(ms)),
  },
});

const port = await restate.serve({ services: [jobs], port: Number(process.env.BENCH_PORT) });
console.log(`ready on ${port}`);
