// Room: migrate. What became of each package of Trigger.dev v2, and of the names that are not carried over. Called by the other files of the room.
// A test holds the tables to what the SDK exports.

/** Packages that are subpaths of our SDK, under the same names. */
export const SUBPATHS: Readonly<Record<string, string>> = {
  "@trigger.dev/nextjs": "next",
  "@trigger.dev/express": "express",
  "@trigger.dev/remix": "remix",
  "@trigger.dev/astro": "astro",
  "@trigger.dev/sveltekit": "sveltekit",
  "@trigger.dev/hono": "hono",
  "@trigger.dev/nestjs": "nestjs",
  "@trigger.dev/react": "react",
  "@trigger.dev/testing": "testing",
};
export const V2_SDK = "@trigger.dev/sdk";
export const OUR_SDK = "@holdfast/sdk";

/** They run as published, on the alias. */
const INTEGRATIONS = new Set(
  "airtable github linear openai plain replicate resend sendgrid shopify slack stripe supabase typeform".split(" "),
);
export const isIntegration = (name: string): boolean => INTEGRATIONS.has(name.replace("@trigger.dev/", ""));

/** Nothing to say about these: tools, and what integrations bring along. */
const STAY = new Set(["@trigger.dev/cli", "@trigger.dev/eslint-plugin", "@trigger.dev/integration-kit", "@trigger.dev/core"]);

/** What a person must know of a package that is neither ours nor stays; undefined for all others. */
export function packageRemark(from: string): string | undefined {
  if (!from.startsWith("@trigger.dev/") || isOurs(from) || SUBPATHS[from] || isIntegration(from) || STAY.has(from))
    return undefined;
  if (from.startsWith(`${V2_SDK}/v3`)) return `${from} belongs to Trigger.dev v3, which is another product`;
  return `${from} is not carried over`;
}

const ZOD = "is a zod object of v2's insides; our SDK does not export it";

/** Exports with something to say of, by package. */
export const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [V2_SDK]: {
    waitForEventSchema: ZOD,
    EventSpecificationExampleSchema: ZOD,
    JSONOutputSerializer: ZOD,
  },
  "@trigger.dev/express": { createExpressServer: "is not there: make the server and app.use(createMiddleware(client)) on it" },
  "@trigger.dev/hono": { addMiddleware: "is not there: app.use(createMiddleware(client)), with a client that is made once" },
};

/** Where an import goes; undefined: it stays. @param sdk how our SDK is called there: by v2's name, or by its own */
export function targetOf(from: string, sdk: string): string | undefined {
  const subpath = SUBPATHS[from];
  const target = subpath ? `${sdk}/${subpath}` : isOurs(from) ? from.replace(V2_SDK, sdk) : from;
  return target === from ? undefined : target;
}

/** The SDK, or a subpath that ours has: an alias that was set before. */
function isOurs(from: string): boolean {
  return from === V2_SDK || Object.values(SUBPATHS).some((subpath) => from === `${V2_SDK}/${subpath}`);
}
