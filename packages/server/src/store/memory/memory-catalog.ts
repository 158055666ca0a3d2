// Room: store. Environments, apps, endpoints and settings in memory. Part of MemoryStore; copies rows in and out.
import type { RuleLimit } from "@holdfast/engine";
import { UserFacingError } from "@holdfast/protocol";
import type { AppNote, AppProcess, CatalogStore, NotedProcess, SourceChange } from "../catalog-rows.ts";
import { storableRow, storableText } from "../storable.ts";
import type { AppRow, EndpointRow, EnvironmentRow } from "../store.ts";

export class MemoryCatalog implements CatalogStore {
  readonly #environments = new Map<string, EnvironmentRow>();
  readonly #apps = new Map<string, AppRow>();
  /** By app: until when each of its processes counts, by when it came. */
  readonly #processes = new Map<string, Map<number, number>>();
  readonly #endpoints = new Map<string, EndpointRow>();
  readonly #settings = new Map<string, string>();
  #revision = 0;

  /** @param limit belongs to the gates, which are not kept here */
  constructor(private readonly limit: (limits: RuleLimit[], now: number) => string[]) {}

  async saveLimits(limits: RuleLimit[], now: number): Promise<string[]> {
    return this.limit(limits, now);
  }

  async environments(): Promise<EnvironmentRow[]> {
    return sorted(this.#environments);
  }

  async saveEnvironment(row: EnvironmentRow): Promise<void> {
    if ([...this.#environments.values()].some(({ id, slug }) => id !== row.id && slug === row.slug)) throw slugTaken(row.slug);
    const known = this.#environments.get(row.id);
    this.#environments.set(row.id, storableRow({ ...row, createdAt: known?.createdAt ?? row.createdAt }));
    this.#revision += 1;
  }

  async apps(): Promise<AppRow[]> {
    return sorted(this.#apps);
  }

  async saveApp(row: AppRow, process?: AppProcess): Promise<boolean> {
    refuseSecond(this.#apps, row);
    const processes = this.#processes.get(row.id) ?? new Map<number, number>();
    if (process && !isNewest(processes, process)) return false;
    if (process && !this.#apps.has(row.id)) this.#processes.set(row.id, processes.set(process.since, process.until));
    const { environmentId, slug } = this.#apps.get(row.id) ?? row;
    this.#apps.set(row.id, storableRow({ ...row, environmentId, slug }));
    this.#revision += 1;
    return true;
  }

  async noteProcesses(
    given: { id: string; since: number | null }[],
    { now, until }: Pick<AppProcess, "now" | "until">,
  ): Promise<NotedProcess[]> {
    const known = given.filter(({ id }) => this.#apps.has(id));
    return known.map(({ id, since: told }) => {
      const former = [...(this.#processes.get(id) ?? [])];
      const since = told ?? Math.max(now, ...former.map(([other]) => other + 1));
      const processes = new Map(former.filter(([, until]) => until > now)).set(since, until);
      this.#processes.set(id, processes);
      return { id, since, isNewest: isNewest(processes, { since, now }) };
    });
  }

  async noteApp(id: string, note: AppNote): Promise<void> {
    const known = this.#apps.get(id);
    if (known) this.#apps.set(id, storableRow({ ...known, ...note }));
    this.#revision += 1;
  }

  async endpoints(): Promise<EndpointRow[]> {
    return sorted(this.#endpoints);
  }

  async saveEndpoint(row: EndpointRow): Promise<void> {
    refuseSecond(this.#endpoints, row);
    const { appId, preset, secretSealed } = row;
    this.#endpoints.set(row.id, storableRow({ ...(this.#endpoints.get(row.id) ?? row), appId, preset, secretSealed }));
    this.#revision += 1;
  }

  async changeSource(id: string, former: string | null, next: SourceChange): Promise<boolean> {
    const row = this.#endpoints.get(id);
    if (!row || row.sourceText !== former) return false;
    const { appId, secretSealed, sourceText } = next;
    this.#endpoints.set(id, storableRow({ ...row, appId, secretSealed, sourceText }));
    this.#revision += 1;
    return true;
  }

  async setting(key: string): Promise<string | null> {
    return this.#settings.get(storableText(key)) ?? null;
  }

  async changeSetting(key: string, former: string | null, value: string): Promise<boolean> {
    const now = this.#settings.get(storableText(key)) ?? null;
    if (now !== (former === null ? null : storableText(former))) return false;
    this.#settings.set(storableText(key), storableText(value));
    this.#revision += 1;
    return true;
  }

  async revision(): Promise<number> {
    return this.#revision;
  }
}

function isNewest(processes: Map<number, number>, { since, now }: Pick<AppProcess, "since" | "now">): boolean {
  return ![...processes].some(([other, until]) => other > since && until > now);
}

/** A slug is unique in its environment. */
function refuseSecond<T extends { id: string; environmentId: string; slug: string }>(rows: Map<string, T>, row: T): void {
  const taken = ({ id, environmentId, slug }: T) => id !== row.id && environmentId === row.environmentId && slug === row.slug;
  if ([...rows.values()].some(taken)) throw slugTaken(row.slug);
}

function slugTaken(slug: string): UserFacingError {
  return new UserFacingError("UNPROCESSABLE", `The slug "${slug}" is taken.`);
}

function sorted<T extends { id: string }>(rows: Map<string, T>): T[] {
  return [...rows.values()].map((row) => structuredClone(row)).sort((a, b) => (a.id < b.id ? -1 : 1));
}
