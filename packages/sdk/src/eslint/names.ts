// Room: eslint. Where a name comes from: parameters, declarations and fields of classes, also taken apart. Asked by chain.ts.
// Promises: a part of a value is told only where it is written out; every other way to bind a name counts as binding it to something unknown.
import { childOf, childrenOf, isFunction, type Node, nameOf } from "./node.ts";

/** Whether a pattern binds a name, in whatever way. */
export function binds(pattern: Node | null | undefined, name: string | undefined): boolean {
  if (!pattern || name === undefined) return false;
  if (pattern.type === "Identifier") return nameOf(pattern) === name;
  if (pattern.type === "ObjectPattern") return childrenOf(pattern, "properties").some((one) => one !== null && binds(one, name));
  if (pattern.type === "ArrayPattern") return childrenOf(pattern, "elements").some((one) => binds(one, name));
  const inner = { Property: "value", RestElement: "argument", AssignmentPattern: "left", TSParameterProperty: "parameter" }[
    pattern.type
  ];
  return inner !== undefined && binds(childOf(pattern, inner), name);
}

/** Which part of its value a name in a pattern is: none of `io`, [slack] of `{ slack }`. Undefined where that is not written out. */
export function partNamed(pattern: Node | null | undefined, name: string | undefined): string[] | undefined {
  if (pattern?.type === "Identifier") return nameOf(pattern) === name ? [] : undefined;
  if (pattern?.type !== "ObjectPattern") return undefined;
  const property = childrenOf(pattern, "properties").find((one) => binds(one, name));
  const key = property?.type === "Property" && !property.computed ? nameOf(childOf(property, "key")) : undefined;
  const rest = key === undefined || !property ? undefined : partNamed(childOf(property, "value"), name);
  return key === undefined || !rest ? undefined : [key, ...rest];
}

/** The parameter by which a function takes a name. */
export function parameterOf(fn: Node, name: string | undefined): { index: number; pattern: Node } | undefined {
  const params = childrenOf(fn, "params");
  const index = params.findIndex((param) => binds(param, name));
  const pattern = params[index];
  return pattern ? { index, pattern } : undefined;
}

/** True when a loop, a `catch`, a function or a class in this node gives the name another meaning, and no `const` does. */
export function rebinds(node: Node, name: string | undefined): boolean {
  if (node.type === "CatchClause") return binds(childOf(node, "param"), name);
  const declared = childOf(node, "left") ?? childOf(node, "init");
  if (/^For(?:In|Of)?Statement$/.test(node.type)) return Boolean(declared) && declares(declared as Node, name);
  const list =
    node.type === "SwitchStatement" ? childrenOf(node, "cases").flatMap((one) => (one ? childrenOf(one, "consequent") : [])) : [];
  if (node.type === "BlockStatement" || node.type === "Program")
    list.push(...childrenOf(node, "body").filter((one) => one?.type !== "VariableDeclaration"));
  return list.some((one) => one !== null && declares(one, name));
}

function declares(statement: Node, name: string | undefined): boolean {
  if (statement.type === "FunctionDeclaration" || statement.type === "ClassDeclaration")
    return nameOf(childOf(statement, "id")) === name;
  return (
    statement.type === "VariableDeclaration" &&
    childrenOf(statement, "declarations").some((one) => one !== null && binds(childOf(one, "id"), name))
  );
}

/** The body of the class whose instance `this` is; undefined where that is not sure. */
export function classOf(self: Node): Node | undefined {
  for (let at: Node | null | undefined = self; at?.parent; at = at.parent) {
    const { parent } = at;
    if (parent.type === "PropertyDefinition") return parent.static ? undefined : (parent.parent ?? undefined);
    if (!isFunction(at) || at.type === "ArrowFunctionExpression") continue;
    return parent.type === "MethodDefinition" && !parent.static ? (parent.parent ?? undefined) : undefined;
  }
  return undefined;
}

/** What a field of a class is given: by its initializer or by one statement of the constructor. Undefined: by several, or elsewhere. */
export function fieldValue(body: Node, name: string): Node | undefined {
  const members = childrenOf(body, "body").filter((one) => one !== null);
  const given = members.flatMap((member) => {
    const isField = member.type === "PropertyDefinition" && !member.static && fieldName(childOf(member, "key")) === name;
    const value = isField ? childOf(member, "value") : undefined;
    return [...(value ? [value] : []), ...assignments(member, name)];
  });
  const [only, ...others] = given;
  return others.length === 0 && only ? only : undefined;
}

export const fieldName = (node: Node | undefined): string | undefined =>
  node?.type === "PrivateIdentifier" ? `#${node.name as string}` : nameOf(node);

/** Values of `this.name = …` anywhere below. A thing that is not told counts as a value, too. */
function assignments(node: Node, name: string): Node[] {
  const below = Object.entries(node)
    .filter(([field]) => field !== "parent")
    .flatMap(([, value]) => [value].flat())
    .filter((value): value is Node => typeof (value as Node | null)?.type === "string");
  const target = node.type === "AssignmentExpression" ? childOf(node, "left") : undefined;
  const isThis = target?.type === "MemberExpression" && childOf(target, "object")?.type === "ThisExpression";
  const own = isThis && target && fieldName(childOf(target, "property")) === name ? childOf(node, "right") : undefined;
  return [...(own ? [own] : []), ...below.flatMap((one) => assignments(one, name))];
}

/** True when the place is reached for one element only: behind `if (n === "last")`, where `n` is what a loop or its callback is given. */
export function picksOne(place: Node, around: Node): boolean {
  const given = isFunction(around) ? childrenOf(around, "params") : [childOf(around, "left") ?? childOf(around, "init")];
  const isGiven = (name: string | undefined) =>
    given.some((one) => one && (isFunction(around) ? binds(one, name) : declares(one, name)));
  for (let [at, inside] = [place.parent, place]; at && inside !== around; [at, inside] = [at.parent, at]) {
    const chooses = at.type === "IfStatement" || at.type === "ConditionalExpression";
    const tests = chooses ? conjuncts(childOf(at, "test")) : [];
    const picks = (operator: RegExp) => tests.some((test) => compares(test, operator, isGiven));
    if (childOf(at, "consequent") === inside && picks(/^===?$/)) return true;
    if (childOf(at, "alternate") === inside && tests.length === 1 && picks(/^!==?$/)) return true;
  }
  return false;
}

function conjuncts(test: Node | undefined): Node[] {
  if (test?.type !== "LogicalExpression" || test.operator !== "&&") return test ? [test] : [];
  return [...conjuncts(childOf(test, "left")), ...conjuncts(childOf(test, "right"))];
}

function compares(test: Node, operator: RegExp, isGiven: (name: string | undefined) => boolean): boolean {
  if (test.type !== "BinaryExpression" || !operator.test(test.operator as string)) return false;
  return ["left", "right"].some((side) => isGiven(nameOf(childOf(test, side))));
}
