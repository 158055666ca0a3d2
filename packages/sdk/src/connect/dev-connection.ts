// Room: connect. Under `holdfast dev -- <command>`, which sets HOLDFAST_DEV_CONNECT=1 and HOLDFAST_API_URL, an app dials out by itself, so that
// it needs no registration, tunnel or URL even when it is mounted over HTTP. Made by TriggerClient, and only while that variable is set.
// Where there are no sockets (edge functions) it only tells, unless HOLDFAST_DEV_APP_URLS says that the app is called.
// Promises: one automatic connection for each app id of a process, also over module reloads; it does not keep a program alive that wants to end;
// it dials the server of `holdfast dev` and no other.
import type { App } from "../client/app.ts";
import type { Credentials } from "../client/credentials.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { type ConnectedClient, connectApp } from "./connect.ts";

const KEY = Symbol.for("holdfast.devConnections");

/** What the copies of the SDK in one process know of each other's connection. */
interface Holder {
  readonly mounted: boolean;
  replaced(): void;
}

export function wantsDevConnection(runtime: Runtime): boolean {
  return runtime.env("HOLDFAST_DEV_CONNECT") === "1";
}

export class DevConnection implements Holder {
  readonly #app: App;
  readonly #credentials: () => Credentials;
  #connection: ConnectedClient | undefined;
  #mounted = false;
  #scheduled = false;
  /** A later copy of the app dials now. */
  #replaced = false;
  /** The program dials itself. */
  #withdrawn = false;

  constructor(app: App, credentials: () => Credentials) {
    this.#app = app;
    this.#credentials = credentials;
    app.whenChanged(() => this.#soon());
  }

  get mounted(): boolean {
    return this.#mounted;
  }

  /** An adapter serves this copy of the app: it is the one that counts, even if another one came later (a page that imports one job). */
  mount(): void {
    if (this.#mounted) return;
    this.#mounted = true;
    this.#replaced = false;
    this.#soon();
  }

  /** The program connects by itself. */
  withdraw(): void {
    this.#withdrawn = true;
    if (holders().get(this.#app.id) === this) holders().delete(this.#app.id);
    this.#leave();
  }

  replaced(): void {
    this.#replaced = true;
    this.#leave();
  }

  #leave(): void {
    void this.#connection?.close();
    this.#connection = undefined;
  }

  /** Once what is defined in this turn is there; what comes later the connection tells by itself. */
  #soon(): void {
    if (this.#scheduled || this.#connection || this.#replaced || this.#withdrawn) return;
    this.#scheduled = true;
    this.#app.runtime.turn(() => {
      this.#scheduled = false;
      if (!this.#replaced && !this.#withdrawn && this.#mayDial()) this.#dial();
    });
  }

  #mayDial(): boolean {
    const { jobs, endpoints, runtime, id } = this.#app;
    const { apiKey, apiUrl } = this.#credentials();
    const server = runtime.env("HOLDFAST_API_URL")?.replace(/\/+$/, "");
    // A client without jobs only sends events: were it to dial, the app would seem to have lost its jobs.
    if (!apiKey || !server || jobs.size + endpoints.size === 0) return false;
    if (holders().get(id)?.mounted && !this.#mounted) return false;
    const why =
      apiUrl === server ? this.#onlyListens() : `is not connected to holdfast dev at ${server}: its apiUrl is ${apiUrl}`;
    if (why) runtime.log("warn", `Holdfast: the app "${id}" ${why}.`);
    return apiUrl === server && !runtime.onlyListens;
  }

  /** What is missing where nothing can dial; null: `holdfast dev` asks for the app at its URL, or that is not the case. */
  #onlyListens(): string | null {
    const { runtime } = this.#app;
    if (!runtime.onlyListens || runtime.env("HOLDFAST_DEV_APP_URLS")) return null;
    return "runs without Node, and cannot dial out: start holdfast dev with --app-url and where the app listens";
  }

  #dial(): void {
    const { id, runtime } = this.#app;
    holders().get(id)?.replaced();
    holders().set(id, this);
    const connection = connectApp(this.#app, this.#credentials, { background: true });
    this.#connection = connection;
    connection.ready.catch((error: Error) => {
      if (this.#connection === connection)
        runtime.log("warn", `Holdfast: the app "${id}" could not connect to holdfast dev: ${error.message}`);
    });
  }
}

/** By app id. */
function holders(): Map<string, Holder> {
  const shared = globalThis as unknown as Record<symbol, Map<string, Holder> | undefined>;
  shared[KEY] ??= new Map();
  return shared[KEY];
}
