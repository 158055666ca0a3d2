// The one place that says `any`. Programs written for v2 rely on payloads, params and outputs being `any` where no schema is given
// (`payload.user.id` compiles); `unknown` would break them. Everything else in this package is typed.

// biome-ignore lint/suspicious/noExplicitAny: v2's public types are `any` here, and programs depend on it
export type Anything = any;
