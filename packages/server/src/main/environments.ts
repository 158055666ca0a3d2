// Room: main. First boot: the two environments every server has, with their keys. Later boots find them.
import { type EnvironmentType, UserFacingError } from "@holdfast/protocol";
import { generateApiKeys, hashKey, previewOf, type Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { CatalogStore } from "../store/catalog-rows.ts";
import type { EnvironmentRow } from "../store/store.ts";
import type { ServerConfig } from "./config.ts";

export interface EnvironmentKeysOfBoot {
  dev: string;
  prod: string;
}

const VARIABLES = { dev: "HOLDFAST_DEV_API_KEY", prod: "HOLDFAST_PROD_API_KEY" } as const;
type Slug = keyof typeof VARIABLES;

/** The form that v2's SDK and ours demand of a key. */
const TAKEN_BY_SDKS = /^tr_[a-z]+_[a-zA-Z0-9]+$/;

/** What was wished for, without the line break that ends a file it may come from; a header could not carry that. */
function wishes({ devApiKey, prodApiKey }: ServerConfig): Record<Slug, string | undefined> {
  return { dev: devApiKey?.trim() || undefined, prod: prodApiKey?.trim() || undefined };
}

/**
 * Looks at the keys given for the first boot, before anything is made: they would be stored for good.
 *
 * @throws UserFacingError BAD_CONFIGURATION when no program could use one, or both are the same
 */
export function checkGivenKeys(config: ServerConfig): void {
  const wished = wishes(config);
  for (const slug of ["dev", "prod"] as const) {
    const key = wished[slug];
    if (key === undefined || /^tr_[\x21-\x7e]+$/.test(key)) continue;
    throw new UserFacingError("BAD_CONFIGURATION", `${VARIABLES[slug]} is no secret key.`, howToMake(slug));
  }
  if (wished.dev === undefined || wished.dev !== wished.prod) return;
  const message = `${VARIABLES.dev} and ${VARIABLES.prod} are the same key, which could not say which environment it opens.`;
  throw new UserFacingError("BAD_CONFIGURATION", message, howToMake("prod"));
}

function howToMake(slug: Slug): string {
  return `It is tr_${slug}_ and letters and digits; make one with \`echo tr_${slug}_$(openssl rand -hex 16)\`.`;
}

export async function ensureEnvironments(
  config: ServerConfig,
  catalog: CatalogStore,
  vault: Vault,
  world: World,
): Promise<EnvironmentKeysOfBoot> {
  const given = wishes(config);
  const find = async (slug: Slug) => (await catalog.environments()).find((row) => row.slug === slug);
  const ensure = async (slug: Slug, type: EnvironmentType, isSecondTry = false): Promise<string> => {
    const found = await find(slug);
    if (found) {
      const key = vault.open(found.secretKeySealed, `environment:${found.id}`);
      if (given[slug] !== undefined && given[slug] !== key) world.log.warn(notThisKey(slug));
      return key;
    }
    if (!TAKEN_BY_SDKS.test(given[slug] ?? `tr_${slug}_made`)) world.log.warn(notForSdks(slug));
    const row = newEnvironment(world, vault, { slug, type, wished: given[slug] });
    try {
      await catalog.saveEnvironment(row.row);
    } catch (error) {
      // Several servers that boot for the first time in one moment: the first to save it gave it its keys.
      if (isSecondTry || !(await find(slug))) throw error;
      return ensure(slug, type, true);
    }
    return row.secretKey;
  };
  return {
    dev: await ensure("dev", "DEVELOPMENT"),
    prod: await ensure("prod", "PRODUCTION"),
  };
}

function notForSdks(slug: Slug): string {
  return `${VARIABLES[slug]} opens the API, but SDKs refuse a key of its form: letters and digits are what they take behind tr_${slug}_`;
}

function notThisKey(slug: Slug): string {
  return `${VARIABLES[slug]} is not this server's key of the environment ${slug}: it counts on the first boot only; the dashboard shows and rotates keys`;
}

function newEnvironment(world: World, vault: Vault, wish: { slug: string; type: EnvironmentType; wished: string | undefined }) {
  const { secretKey: made, publicKey } = generateApiKeys(wish.slug);
  const secretKey = wish.wished ?? made;
  const id = world.newId("environment");
  const row: EnvironmentRow = {
    id,
    slug: wish.slug,
    type: wish.type,
    secretKeyHash: hashKey(secretKey),
    secretKeySealed: vault.seal(secretKey, `environment:${id}`),
    secretKeyPreview: previewOf(secretKey),
    publicKey,
    createdAt: world.now(),
  };
  return { row, secretKey };
}
