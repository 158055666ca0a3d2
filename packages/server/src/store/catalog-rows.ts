// Room: store. Environments, apps, endpoints and settings: few rows, which the registry keeps whole. Part of the store interface.
import type { RuleLimit } from "@holdfast/engine";
import type { AppRow, EndpointRow, EnvironmentRow } from "./store.ts";

/** What servers come to know of an app by themselves. */
export type AppNote = Partial<Pick<AppRow, "lastError" | "callLimitMs">>;

/** A process of an app that connects. */
export interface AppProcess {
  /** When it first came, in epoch milliseconds; unique among the app's. */
  since: number;
  now: number;
  /** It counts until then if nobody hears of it. */
  until: number;
}

export interface NotedProcess {
  /** The app's. */
  id: string;
  since: number;
  /** None that counts came later. */
  isNewest: boolean;
}

export type SourceChange = Pick<EndpointRow, "appId" | "secretSealed" | "sourceText">;

export interface CatalogStore {
  environments(): Promise<EnvironmentRow[]>;
  saveEnvironment(row: EnvironmentRow): Promise<void>;
  apps(): Promise<AppRow[]>;
  /** Inserts or replaces an app. Of a process: unless one of the app's that came later counts; false then, and nothing is saved. */
  saveApp(row: AppRow, process?: AppProcess): Promise<boolean>;
  /** Notes processes of apps that are known; those of others are not answered. `since` null: it has just come, later than all others. */
  noteProcesses(
    processes: { id: string; since: number | null }[],
    times: Pick<AppProcess, "now" | "until">,
  ): Promise<NotedProcess[]>;
  /** Changes only what is noted of an app, whatever another server has registered meanwhile. */
  noteApp(id: string, note: AppNote): Promise<void>;
  endpoints(): Promise<EndpointRow[]>;
  /** Inserts, or updates app, preset and secret of the row with that id. */
  saveEndpoint(row: EndpointRow): Promise<void>;
  /** Changes an endpoint's source, if its text still is `former`. False: it is another by now. */
  changeSource(id: string, former: string | null, next: SourceChange): Promise<boolean>;
  setting(key: string): Promise<string | null>;
  /** Sets a setting, if it still is `former` (null: there is none). False: it is another by now, or a call whose answer got lost has set it. */
  changeSetting(key: string, former: string | null, value: string): Promise<boolean>;
  /** Sets how many runs may hold a slot at each gate of these rules, from the next admission on. Answers the queues in which parked work became due. */
  saveLimits(limits: RuleLimit[], now: number): Promise<string[]>;
  /** A number that grows with every save of those above: a registry with the same number is up to date. */
  revision(): Promise<number>;
}
