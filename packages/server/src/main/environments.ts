// Room: main. First boot: the two environments every server has, with their keys. Later boots find them.
import type { EnvironmentType } from "@holdfast/protocol";
import { generateApiKeys, hashKey, previewOf, type Vault } from "../platform/secrets.ts";
import type { World } from "../platform/world.ts";
import type { CatalogStore } from "../store/catalog-rows.ts";
import type { EnvironmentRow } from "../store/store.ts";
import type { ServerConfig } from "./config.ts";

export interface EnvironmentKeysOfBoot {
  dev: string;
  prod: string;
}

export async function ensureEnvironments(
  config: ServerConfig,
  catalog: CatalogStore,
  vault: Vault,
  world: World,
): Promise<EnvironmentKeysOfBoot> {
  const rows = await catalog.environments();
  const ensure = async (slug: "dev" | "prod", type: EnvironmentType, wished: string | undefined): Promise<string> => {
    const found = rows.find((row) => row.slug === slug);
    if (found) return vault.open(found.secretKeySealed, `environment:${found.id}`);
    const row = newEnvironment(world, vault, { slug, type, wished });
    await catalog.saveEnvironment(row.row);
    return row.secretKey;
  };
  return {
    dev: await ensure("dev", "DEVELOPMENT", config.devApiKey),
    prod: await ensure("prod", "PRODUCTION", config.prodApiKey),
  };
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
