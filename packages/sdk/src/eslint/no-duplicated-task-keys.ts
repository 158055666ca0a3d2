// Room: eslint. The rule: two tasks beside each other with one written cacheKey, or one task of a loop. At run time the second of them throws, perhaps only
// after weeks.
// Promises: silent where it cannot know: keys made at run time, functions with a name of their own, branches that exclude each other.
import { exclude, repeats } from "./branches.ts";
import { calleeAround, chainOf } from "./chain.ts";
import { parameterOf, picksOne } from "./names.ts";
import { childOf, childrenOf, functionsAround, isFunction, type Node, nameOf, writtenKey } from "./node.ts";

/** Methods of `io`, by the first name after it, that make no task. */
const NO_TASKS = new Set(["logger", "try", "yield", "brb"]);
const INVOKING = new Set(["invoke", "invokeAndWaitForCompletion", "batchInvokeAndWaitForCompletion"]);

/** What servers of socket.io, which are called `io`, too, and other emitters do with a name. */
const EMITTING = new Set([
  "emit",
  "on",
  "once",
  "off",
  "to",
  "in",
  "of",
  "use",
  "except",
  "addListener",
  "removeListener",
  "serverSideEmit",
]);

/** Methods that call what they are given once an element. */
const EACH = new Set(["map", "forEach", "flatMap", "filter", "reduce", "some", "every", "find", "from"]);

interface Found {
  call: Node;
  keyNode: Node;
  shown: string;
}

/** True when the call makes a task of its first argument. */
function makesTask(call: Node): boolean {
  const chain = chainOf(childOf(call, "callee"));
  if (!chain) return false;
  const last = chain.names.at(-1) ?? "";
  if (INVOKING.has(last)) return childrenOf(call, "arguments").length > 1;
  return !NO_TASKS.has(chain.names[0] ?? "") && !EMITTING.has(last) && chain.ofIO;
}

/** What the task is a child of: the call whose callback it stands in, or the function that was given `io` or has a life of its own. */
function placeOf(call: Node): Node {
  const io = nameOf(chainOf(childOf(call, "callee"))?.root);
  let at = call;
  for (const fn of functionsAround(call)) {
    at = fn;
    if (!calleeAround(fn)) return fn;
    if (makesTask(fn.parent as Node)) return fn.parent as Node;
    if (parameterOf(fn, io)) return fn;
  }
  return at;
}

/** True when one call of the function it stands in can reach the task twice. */
function isRepeated(call: Node, place: Node): boolean {
  for (let at = call.parent; at && at !== place; at = at.parent) {
    if (repeats(at, call) && !picksOne(call, at)) return true;
    if (isFunction(at) && !picksOne(call, at) && EACH.has(chainOf(calleeAround(at))?.names.at(-1) ?? "")) return true;
  }
  const names = place.type === "CallExpression" ? chainOf(childOf(place, "callee"))?.names : undefined;
  const branch = functionsAround(call).find((fn) => fn.parent === place);
  return names?.join(".") === "parallel" && !(branch && picksOne(call, branch));
}

export const noDuplicatedTaskKeys = {
  meta: {
    type: "problem" as const,
    docs: { description: "Each task beside others needs a cacheKey of its own." },
    schema: [],
    messages: {
      repeated:
        "The cacheKey {{key}} is used again each time round: the second task throws. Make what differs a part: [{{key}}, item.id].",
      duplicated:
        "The cacheKey {{key}} is used on line {{line}} already: a second task beside it throws. Give it a key of its own.",
    },
  },
  create(context: Context) {
    const places = new Map<Node, Map<string, Found[]>>();
    return {
      CallExpression(call: Node): void {
        const [keyNode] = childrenOf(call, "arguments");
        const key = makesTask(call) ? writtenKey(keyNode) : undefined;
        if (key === undefined || !keyNode) return;
        const place = placeOf(call);
        if (isRepeated(call, place)) context.report({ node: keyNode as never, messageId: "repeated", data: { key: key.shown } });
        const keys = places.get(place) ?? new Map<string, Found[]>();
        const found = { call, keyNode, shown: key.shown };
        // A field's io may be another than the one at hand.
        const text = `${chainOf(childOf(call, "callee"))?.held ? "this" : ""} ${key.text}`;
        places.set(place, keys.set(text, [...(keys.get(text) ?? []), found]));
      },
      "Program:exit"(): void {
        for (const keys of places.values()) for (const found of keys.values()) reportAll(context, found);
      },
    };
  },
};

/** What the rule uses of ESLint's rule context. */
export interface Context {
  report(problem: { node: never; messageId: "duplicated" | "repeated"; data: Record<string, string> }): void;
}

function reportAll(context: Context, found: Found[]): void {
  const inOrder = found.toSorted((one, other) => (one.call.range?.[0] ?? 0) - (other.call.range?.[0] ?? 0));
  for (const [index, { call, keyNode, shown }] of inOrder.entries()) {
    const before = inOrder.slice(0, index).find((earlier) => !exclude(earlier.call, call));
    if (!before) continue;
    const data = { key: shown, line: String(before.keyNode.loc?.start.line) };
    context.report({ node: keyNode as never, messageId: "duplicated", data });
  }
}
