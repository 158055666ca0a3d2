// Room: store. Environments, apps, endpoints and settings: few rows, low rate, read whole by the registry. Called through Store.catalog.
import type { RuleLimit } from "@holdfast/engine";
import type { World } from "../../platform/world.ts";
import type { AppNote, AppProcess, CatalogStore, NotedProcess, SourceChange } from "../catalog-rows.ts";
import { storableRow, storableText } from "../storable.ts";
import type { AppRow, EndpointRow, EnvironmentRow } from "../store.ts";
import { persist } from "./failures.ts";
import type { GateKeeper } from "./gate-keeper.ts";
import type { Link } from "./link.ts";
import { appColumns, appOf, type DbRow, endpointColumns, endpointOf, environmentColumns, environmentOf } from "./rows.ts";
import { statement } from "./statements.ts";

const PATIENCE_MS = 10_000;

export class PostgresCatalog implements CatalogStore {
  constructor(
    private readonly link: Link,
    private readonly world: World,
    private readonly gates: GateKeeper,
  ) {}

  #rows(name: string, values: unknown[] = []): Promise<DbRow[]> {
    return persist(this.world, PATIENCE_MS, () => this.link.query<DbRow>(statement(name), values));
  }

  async environments(): Promise<EnvironmentRow[]> {
    return (await this.#rows("environments")).map(environmentOf);
  }

  async saveEnvironment(row: EnvironmentRow): Promise<void> {
    await this.#rows("save-environment", [JSON.stringify(environmentColumns(row))]);
  }

  async apps(): Promise<AppRow[]> {
    return (await this.#rows("apps")).map(appOf);
  }

  async saveApp(row: AppRow, process?: AppProcess): Promise<boolean> {
    const { since = null, now = null, until = null } = process ?? {};
    return (await this.#rows("save-app", [JSON.stringify(appColumns(row)), since, now, until])).length > 0;
  }

  async noteProcesses(
    processes: { id: string; since: number | null }[],
    { now, until }: Pick<AppProcess, "now" | "until">,
  ): Promise<NotedProcess[]> {
    const rows = await this.#rows("note-processes", [JSON.stringify(processes), now, until]);
    return rows.map((row) => ({ id: row.id as string, since: Number(row.since), isNewest: row.is_newest as boolean }));
  }

  async noteApp(id: string, note: AppNote): Promise<void> {
    await this.#rows("note-app", [id, JSON.stringify(storableRow(note))]);
  }

  async endpoints(): Promise<EndpointRow[]> {
    return (await this.#rows("endpoints")).map(endpointOf);
  }

  async saveEndpoint(row: EndpointRow): Promise<void> {
    await this.#rows("save-endpoint", [JSON.stringify(endpointColumns(row))]);
  }

  async changeSource(id: string, former: string | null, next: SourceChange): Promise<boolean> {
    const { appId, secretSealed, sourceText } = storableRow(next);
    return (await this.#rows("change-source", [id, former, appId, secretSealed, sourceText])).length > 0;
  }

  async setting(key: string): Promise<string | null> {
    const [row] = await this.#rows("setting", [storableText(key)]);
    return row ? (row.value as string) : null;
  }

  async changeSetting(key: string, former: string | null, value: string): Promise<boolean> {
    const given = [key, former, value].map((text) => (text === null ? null : storableText(text)));
    return (await this.#rows("change-setting", given)).length > 0;
  }

  saveLimits(limits: RuleLimit[], now: number): Promise<string[]> {
    return limits.length > 0 ? this.gates.saveLimits(limits, now) : Promise.resolve([]);
  }

  async revision(): Promise<number> {
    const [row] = await this.#rows("catalog-revision");
    return (row?.revision as number | undefined) ?? 0;
  }
}
