// The rule, with ESLint's own tester: what it reports, and where it must stay silent.
import { ESLint, type Linter, RuleTester } from "eslint";
import { afterAll, describe, expect, it } from "vitest";
import plugin from "./index.ts";

Object.assign(RuleTester, { afterAll, describe, it });
const tester = new RuleTester({ languageOptions: { ecmaVersion: 2024, sourceType: "module" } });

const inRun = (body: string, io = "io") => `client.defineJob({ id: "j", run: async (payload, ${io}, ctx) => {\n${body}\n} });`;
const again = (line: number, key = '"a"') => ({ messageId: "repeated" as const, line, data: { key } });
const on = (line: number, key = '"a"') => ({ messageId: "duplicated" as const, line, data: { key, line: "2" } });

tester.run("no-duplicated-task-keys", plugin.rules["no-duplicated-task-keys"], {
  valid: [
    inRun('await io.runTask("a", work);\nawait io.runTask("b", work);'),
    // Keys only the running program knows.
    inRun("await io.wait(key, 1);\nawait io.wait(key, 1);\nawait io.wait(`a$" + "{n}`, 1);\nawait io.wait(`a$" + "{n}`, 1);"),
    inRun('await io.wait(["a", n], 1);\nawait io.wait(["a", n], 1);\nawait io.wait(...keys);\nawait io.wait();'),
    inRun('await io.wait(["a", "b"], 1);\nawait io.wait(["b", "a"], 1);\nawait io.wait(["a", 1], 1);\nawait io.wait(/a/, 1);'),
    // Other parents.
    inRun('await io.runTask("outer", async () => io.wait("a", 1));\nawait io.wait("a", 1);\nawait io.wait("outer2", 1);'),
    inRun(
      'await io.runTask("b", async () => io.wait("a", 1));\nawait io.runTask("c", async (task, inner) => inner.wait("a", 1));',
    ),
    inRun(
      'await io.parallel("b", items, async (n) => io.wait(["a", n], 1));\nawait io.wait("a", 1);\nawait io.waitForRequest("c", async () => io.wait("a", 1));',
    ),
    // Branches that exclude each other.
    inRun('if (x) await io.wait("a", 1);\nelse if (y) await io.wait("a", 1);\nelse await io.wait("a", 1);'),
    inRun('const n = x ? await io.random("a") : await io.random("a");'),
    inRun(
      'switch (x) { case 1: await io.wait("a", 1); break; case 2: { await io.wait("a", 1); return; } default: await io.wait("a", 1); }',
    ),
    inRun('if (x) { await io.wait("a", 1); return; }\nawait io.wait("a", 1);'),
    inRun('if (x) { if (y) { await io.wait("a", 1); throw new Error("y"); } }\nawait io.wait("a", 1);'),
    inRun('try { work(); } catch { await io.wait("a", 1); return; }\nawait io.wait("a", 1);'),
    inRun('if (x) return io.random("a");\nawait io.random("a");'),
    // Loops in which a task is reached once, or stands in a task of its own.
    inRun(
      'for (const i of list) { if (i) { await io.wait("a", 1); break; } }\nfor (const i of list) { await io.wait("b", 1); return; }',
    ),
    inRun('for (const n of await io.runTask("a", list)) await io.wait(["b", n], 1);'),
    inRun('for (const n of list) await io.runTask(["n", n], async () => io.wait("a", 1));'),
    inRun('for (let n = await io.random("a"); n < 3; n++) await io.wait(["b", n], 1);\nconst own = () => io.wait("c", 1);'),
    // One element of many.
    inRun(
      'for (const tone of list) { if (tone === "firm") await io.wait("a", 1); }\nlist.map((n, i) => (i === 0 && n ? io.wait("b", 1) : 0));',
    ),
    inRun('for (let i = 0; i < 3; i++) { if (x) { if (2 == i) await io.wait("a", 1); } }'),
    inRun(
      'await io.parallel("all", list, async (n) => { if (n === "long" && x) await io.wait("a", 1); else await io.wait(["b", n], 1); });',
    ),
    // What makes no task, or none of this run.
    inRun('await io.logger.info("a");\nawait io.logger.info("a");\nio.yield("a");\nio.yield("a");\nio.brb("a");'),
    inRun(
      'await io.try(() => io.wait("a", 1), () => 0);\nawait fetch("a");\nfetch("a");\nother.wait("a", 1);\nother.wait("a", 1);',
    ),
    inRun('await io.store.env.get("a", "k");\nawait io.slack.post("b", {});\nlist.get("a");\nlist.get("a");'),
    inRun('await job.invoke("a");\nawait job.invoke("a");\nawait io.wait([1n], 1);\nawait io.wait([1n], 1);'),
    inRun('if (x) { await io.wait("a", 1); if (y) return; else throw x; }\nawait io.wait("a", 1);'),
    // Names for something else.
    inRun(
      'const log = io.logger;\nawait log.info("a");\nawait log.info("a");\nconst { get } = list;\nget("a", 1);\nget("a", 1);',
    ),
    inRun('const t = io;\nconst one = (t) => t.wait("a", 1);\nawait t.wait("a", 1);\n{ const t = other; t.wait("a", 1); }'),
    inRun(
      'const t = u;\nconst u = t;\nawait u.wait("a", 1);\nawait u.wait("a", 1);\nlet w = io;\nw.wait("a", 1);\nw.wait("a", 1);',
    ),
    inRun('for (const slack of list) { slack.post("a", 1); slack.post("a", 2); }', "{ slack }"),
    inRun('try { work(); } catch (slack) { slack.post("a", 1); slack.post("a", 1); }', "{ slack }"),
    inRun('{ const [slack] = list; slack.post("a", 1); slack.post("a", 1); }\nfunction slack() {}', "{ slack }"),
    inRun('switch (x) { case 1: const slack = y; slack.post("a", 1); slack.post("a", 1); }', "{ slack }"),
    inRun('function slack() {}\nslack.post("a", 1);\nslack.post("a", 1);', "{ slack }"),
    inRun('slack.post("a", 1);\nslack.post("a", 1);\nrest.wait("b", 1);\nrest.wait("b", 1);', "{ slack = own, ...rest }"),
    inRun('slack.post("a", 1);\nslack.post("a", 1);', "{ [name]: slack }"),
    inRun('await logger.info("a");\nawait logger.info("a");\nawait slack.post("a", 1);', "{ logger, slack }"),
    'async function both({ slack }, other) { slack.post("a", 1); slack.post("a", 1); }',
    'async function step({ io }) { await io.logger.info("a"); await io.logger.info("a"); await io.wait("a", 1); }',
    // Fields that are something else, or not to be known.
    'class A { constructor() { const u = this.b; this.a = u; const t = this.a; this.b = t; } go() { this.a.wait("a", 1); this.a.wait("a", 1); } }',
    'class A { async one() { await this.io.wait("a", 1); } async two() { await this.io.wait("a", 1); } }',
    'class A { io = new Server(); tell() { this.io.wait("a", 1); this.io.wait("a", 1); } }',
    'class A { constructor(io) { this.slack = io.slack; } set(s) { this.slack = s; } go() { this.slack.post("a", 1); this.slack.post("a", 1); } }',
    'class A { slack = own; go() { this.slack.post("a", 1); this.slack.post("a", 1); this.other.post("a"); this.other.post("a"); } }',
    'class A { static slack = io.slack; static go() { this.slack.post("a", 1); this.slack.post("a", 1); } }',
    'class A { constructor(io) { this.t = io; } go() { return function () { this.t.wait("a", 1); this.t.wait("a", 1); }; } }',
    'class A { a = this.b; b = this.a; go() { this.a.wait("a", 1); this.a.wait("a", 1); } }',
    'class A { async go(io) { await this.io.wait("a", 1); await io.wait("a", 1); } }',
    // A server of socket.io.
    'io.on("connection", one); io.on("connection", two); io.emit("a", 1); io.emit("a", 2); io.sockets.emit("a"); io.sockets.emit("a");',
    'class Chat { tell() { this.io.emit("a", 1); this.io.emit("a", 2); this.io.to("a"); this.io.to("a"); } }',
    // Functions with a name of their own run who knows where; two jobs; a function with an io of its own.
    inRun('const one = () => io.wait("a", 1);\nconst two = () => io.wait("a", 1);\nfunction three() { return io.wait("a", 1); }'),
    `${inRun('await io.wait("a", 1);')}\n${inRun('await io.wait("a", 1);')}`,
    'test(() => { model.run(async (io) => io.wait("a", 1)); model.run(async (io) => io.wait("a", 1)); });',
    'async function one(io) { await io.wait("a", 1); }\nasync function two(io) { await io.wait("a", 1); }',
    inRun('const wait = (tools) => tools.wait("a", 1);\nawait own.wait("a", 1);\nawait own.wait("a", 1);', "io, own"),
  ],
  invalid: [
    { code: inRun('await io.runTask("a", work);\nawait io.runTask("a", work);'), errors: [on(3)] },
    {
      code: inRun('await io.wait("a", 1);\nawait io.sendEvent("a", e);\nawait io.store.job.get("a", "k");'),
      errors: [on(3), on(4)],
    },
    { code: inRun('await io.slack.post("a", {});\nawait io.stripe.charges.create(`a`, {});'), errors: [on(3)] },
    { code: inRun('await io.wait(["a", 1], 1);\nawait io.wait(["a", 1], 1);'), errors: [on(3, '["a",1]')] },
    // As keys are made, these are one.
    { code: inRun('await io.wait("a:b", 1);\nawait io.wait(["a", "b"], 1);'), errors: [on(3, '["a","b"]')] },
    { code: inRun('await io.wait("a", 1);\nawait io.wait(["a"], 1);'), errors: [on(3, '["a"]')] },
    { code: inRun('await one.invoke("a", 1);\nawait two.invokeAndWaitForCompletion("a", 2);'), errors: [on(3)] },
    { code: inRun('await myIo.wait("a", 1);\nawait myIo.wait("a", 1);', "myIo"), errors: [on(3)] },
    {
      code: inRun('await io.runTask("b", async (task, own) => { await own.wait("a", 1);\nawait own.wait("a", 1); });'),
      errors: [on(3)],
    },
    // Other names for it, or for a part of it.
    { code: inRun('const t = io; await t.wait("a", 1);\nawait io.wait("a", 1);'), errors: [on(3)] },
    { code: inRun('const { slack } = io; await slack.post("a", {});\nawait io.slack.post("a", {});'), errors: [on(3)] },
    {
      code: inRun('const { slack: s } = io, p = s.posts; if (x) { await p.add("a", {});\nawait s.post("a", {}); }'),
      errors: [on(3)],
    },
    { code: inRun('const store = io.store.job; await store.get("a", "k");\nawait store.set("a", "k", 1);'), errors: [on(3)] },
    // Its parts as parameters.
    { code: inRun('await slack.post("a", {});\nawait slack.post("a", {});', "{ slack }"), errors: [on(3)] },
    {
      code: inRun('await s.post("a", {});\nawait kept.get("a", "k");', "{ slack: s, store: { job: kept } }"),
      errors: [on(3)],
    },
    {
      code: inRun(
        'await io.runTask("b", async (task, { slack }) => { await slack.post("a", {});\nawait slack.post("a", {}); });',
      ),
      errors: [on(3)],
    },
    {
      code: inRun('const { posts } = slack; await posts.add("a", {});\nawait slack.post("a", {});', "{ slack }"),
      errors: [on(3)],
    },
    { code: inRun('for (const n of list)\nawait slack.post("a", n);', "{ slack }"), errors: [again(3)] },
    { code: 'class J { async run(payload, { wait }) {\nawait wait("a", 1);\nawait wait("a", 1); } }', errors: [on(3)] },
    // Fields.
    { code: 'class A { async go() {\nawait this.io.wait("a", 1);\nawait this.io.slack.post("a", {}); } }', errors: [on(3)] },
    {
      code: 'class A { #io; constructor(io) { this.#io = io; } async go() {\nawait this.#io.wait("a", 1);\nawait this.#io.wait("a", 1); } }',
      errors: [on(3)],
    },
    {
      code: 'class A { constructor(io) { this.slack = io.slack; } async go() {\nawait this.slack.post("a", {});\nawait this.slack.post("a", {}); } }',
      errors: [on(3)],
    },
    {
      code: 'class A { constructor(io) { this.tools = io; } async go() { for (const n of list)\nawait this.tools.wait("a", n); } }',
      errors: [again(2)],
    },
    { code: 'const step = { async go() {\nawait this.io.wait("a", 1);\nawait this.io.wait("a", 1); } };', errors: [on(3)] },
    {
      code: 'class A { async go() { const { slack } = this.io;\nawait slack.post("a", {});\nawait this.io.slack.post("a", {}); } }',
      errors: [on(3)],
    },
    // Both may run.
    {
      code: inRun('if (x) { await io.wait("a", 1); if (y) return; else work(); }\nawait io.wait("a", 1);'),
      errors: [on(3)],
    },
    { code: inRun('if (x) await io.wait("a", 1);\nawait io.wait("a", 1);'), errors: [on(3)] },
    { code: inRun('if (await io.random("a"))\nawait io.wait("a", 1);'), errors: [on(3)] },
    { code: inRun('try { return await io.random("a"); }\ncatch { return io.random("a"); }'), errors: [on(3)] },
    { code: inRun('try { return await io.random("a"); } catch {}\nawait io.random("a");'), errors: [on(3)] },
    { code: inRun('while (x) { await io.wait("a", 1); break; }\nawait io.wait("a", 1);'), errors: [on(3)] },
    { code: inRun('switch (x) { case 1: await io.wait("a", 1);\ncase 2: await io.wait("a", 1); }'), errors: [on(3)] },
    { code: inRun('switch (x) { case 1: await io.wait("a", 1); break; }\nawait io.wait("a", 1);'), errors: [on(3)] },
    { code: inRun('await io.try(async () => io.wait("a", 1),\nasync () => io.wait("a", 1));'), errors: [on(3)] },
    { code: inRun('await Promise.all([io.wait("a", 1),\nio.wait("a", 1)]);'), errors: [on(3)] },
    { code: inRun('list.then(() => { return io.wait("a", 1); });\nawait io.wait("a", 1);'), errors: [on(3)] },
    { code: 'async function step(io) {\nawait io.wait("a", 1);\nawait io.wait("a", 1);\n}', errors: [on(3)] },
    { code: 'class J {\nasync run(payload, own) { await own.wait("a", 1); await own.wait("a", 1); } }', errors: [on(2)] },
    // The same task again and again.
    { code: inRun('for (const i of list)\nawait io.wait("a", 1);'), errors: [again(3)] },
    {
      code: inRun('while (true) { if (await io.random("a")) break;\nawait io.wait("b", 1); }'),
      errors: [again(2), again(3, '"b"')],
    },
    { code: inRun('for (const i of list) { if (i) { await io.wait("a", 1); continue; } }'), errors: [again(2)] },
    {
      code: inRun('for (const i of list) { if (i) { await io.wait("a", 1); continue; }\nawait io.wait("a", 1); }'),
      errors: [again(2), again(3)],
    },
    { code: inRun('list.map((n) => step(() => io.wait("a", 1)));'), errors: [again(2)] },
    { code: inRun('await Promise.all(Array.from(list, (n) => io.wait("a", 1)));'), errors: [again(2)] },
    { code: inRun('for (;;) { await io.wait("a", 1); if (x) break; else continue; }'), errors: [again(2)] },
    { code: inRun('for (;;) { try { return await io.random("a"); } catch {} }'), errors: [again(2)] },
    { code: inRun('for (;;) switch (x) { case 1: await io.wait("a", 1); break; }'), errors: [again(2)] },
    { code: inRun('await Promise.all(list.map(async (n) => io.runTask("a", () => n)));'), errors: [again(2)] },
    { code: inRun('await io.parallel("all", list, async (n) => {\nawait io.wait("a", 1); });'), errors: [again(3)] },
    { code: inRun('for (const n of list) { if (x === 1) await io.wait("a", 1); }'), errors: [again(2)] },
    {
      code: inRun('for (const n of list) { if (n !== 1) await io.wait("a", 1); else await io.wait("b", 1); }'),
      errors: [again(2)],
    },
    { code: inRun('list.map((n) => (n === 1 ? 0 : io.wait("a", 1)));'), errors: [again(2)] },
    { code: inRun('for (const n of list) { for (const m of n) { if (m === 1) await io.wait("a", 1); } }'), errors: [again(2)] },
    // Of three, the exclusive ones are each held against the one before them.
    { code: inRun('await io.wait("a", 1);\nif (x) await io.wait("a", 1);\nelse await io.wait("a", 1);'), errors: [on(3), on(4)] },
  ],
});

it("is switched on by the recommended config, and by v2's name for the plugin", async () => {
  const code = inRun('await io.wait("a", 1);\nawait io.wait("a", 1);');
  const renamed: Linter.Config = { plugins: { "@trigger.dev": plugin }, rules: { "@trigger.dev/no-duplicated-task-keys": 2 } };
  const configs: Linter.Config[] = [plugin.configs.recommended, renamed];
  for (const config of configs) {
    const eslint = new ESLint({ overrideConfigFile: true, overrideConfig: [config] });
    const [result] = await eslint.lintText(code);
    expect(result?.messages.map(({ message, line, severity }) => [message, line, severity])).toEqual([
      ['The cacheKey "a" is used on line 2 already: a second task beside it throws. Give it a key of its own.', 3, 2],
    ]);
  }
});
