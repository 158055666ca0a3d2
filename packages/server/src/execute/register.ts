// Room: execute. Registration of an app by its URL, as the v2 CLI and dashboards do it: ping, index, remember (wire §2.12). Connect apps register by hello.
import { type AppId, UserFacingError } from "@holdfast/protocol";
import type { Registry } from "../dispatch/registry.ts";
import type { AppRow } from "../store/store.ts";
import type { Push } from "./push.ts";

export class Registration {
  constructor(
    private readonly registry: Registry,
    private readonly push: Push,
    /** The app's work can be done now. */
    private readonly wake: (queues: string[]) => void,
  ) {}

  /**
   * Pings and indexes the app at a URL and remembers it.
   *
   * @throws UserFacingError BAD_REQUEST with what the app answered (the v2 CLI retries on "Could not connect to endpoint")
   */
  async register(environmentId: string, target: { id: string; url: string }): Promise<AppRow> {
    const answer = await this.push.index({ url: target.url, slug: target.id, environmentId });
    if (answer.type === "no-answer") {
      const former = this.registry.apps(environmentId).find((app) => app.slug === target.id);
      if (former) await this.registry.noteAppError(former, answer.message);
      throw new UserFacingError(
        "BAD_REQUEST",
        answer.message,
        "Check that the app runs, that this URL is its handler's, and that its API key is this environment's.",
      );
    }
    const { index, sdk, url } = answer;
    const registration = { environmentId, slug: target.id, transport: "push" as const, url: url ?? target.url, sdk, index };
    const app = await this.registry.saveIndex(registration);
    this.wake([app.id]);
    return app;
  }

  /** Indexes a known push app again. A connected app tells its jobs by itself. */
  async refresh(appId: AppId | string): Promise<AppRow> {
    const app = this.registry.app(appId);
    if (!app) throw new UserFacingError("NOT_FOUND", "There is no such app.");
    if (app.transport === "connect" || !app.url) return app;
    return this.register(app.environmentId, { id: app.slug, url: app.url });
  }
}
