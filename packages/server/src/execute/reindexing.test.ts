// Room: execute. When apps are asked for their jobs again. Time is the test's.
import { expect, it } from "vitest";
import type { World } from "../platform/world.ts";
import type { AppRow, EnvironmentRow } from "../store/store.ts";
import { Reindexing } from "./reindexing.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;

function scene() {
  const clock = { now: 100 * HOUR };
  const timers: { at: number; act: () => void }[] = [];
  const environments = [
    { id: "env_dev", slug: "dev", type: "DEVELOPMENT", secretKeyHash: "d" },
    { id: "env_prod", slug: "prod", type: "PRODUCTION", secretKeyHash: "p" },
  ] as EnvironmentRow[];
  const app = (slug: string, fields: Partial<AppRow>): AppRow =>
    ({
      id: `app_${slug}`,
      slug,
      environmentId: "env_prod",
      transport: "push",
      url: "http://app",
      indexedAt: clock.now,
      ...fields,
    }) as AppRow;
  const apps = [
    app("shop", {}),
    app("laptop", { environmentId: "env_dev" }),
    app("connected", { transport: "connect", url: null }),
    app("away", {}),
  ];
  const asked: string[] = [];
  const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
  const world = {
    now: () => clock.now,
    after: (ms: number, act: () => void) => {
      const timer = { at: clock.now + ms, act };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    },
    log,
  } as unknown as World;
  const reindexing = new Reindexing({
    world,
    registry: {
      app: (id) => apps.find((one) => one.id === id) ?? null,
      apps: (id) => apps.filter((one) => id === undefined || one.environmentId === id),
      environment: (id) => environments.find((one) => one.id === id || one.slug === id) ?? null,
    },
    registration: {
      refresh: async (id) => {
        asked.push(id);
        if (id === "app_away") throw new Error("no answer");
        const found = apps.find((one) => one.id === id) as AppRow;
        // As the registry does where nothing has changed: `indexedAt` stays.
        return found;
      },
    },
  });
  const pass = async (ms: number) => {
    clock.now += ms;
    for (const timer of timers.filter(({ at }) => at <= clock.now)) {
      timers.splice(timers.indexOf(timer), 1);
      timer.act();
    }
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { reindexing, pass, asked, apps, environments, timers };
}

it("asks apps that serve people once an hour, and those of developers never", async () => {
  const { reindexing, pass, asked } = scene();
  for (let minutes = 0; minutes < 3 * 60; minutes += 5) {
    await pass(5 * MINUTE);
    await reindexing.ensure();
  }
  expect(asked.filter((id) => id === "app_shop")).toHaveLength(3);
  expect(
    asked.filter((id) => id === "app_away"),
    "one that does not answer is asked no more often",
  ).toHaveLength(3);
  expect(new Set(asked)).toEqual(new Set(["app_shop", "app_away"]));
});

it("asks five seconds after a hook was called, once for many calls, and again for a later one", async () => {
  const { reindexing, pass, asked, apps, environments } = scene();
  const [dev, prod] = environments as [EnvironmentRow, EnvironmentRow];
  const hook = reindexing.hookOf(apps[0] as AppRow) ?? "";
  expect(hook).toMatch(/^[0-9a-f]{20}$/);
  for (let n = 0; n < 10; n++) expect(reindexing.called(prod, "shop", hook)).toBe(true);
  await pass(4_999);
  expect(asked).toEqual([]);
  await pass(1);
  expect(asked).toEqual(["app_shop"]);
  expect(reindexing.called(prod, "shop", hook)).toBe(true);
  await pass(5_000);
  expect(asked).toEqual(["app_shop", "app_shop"]);
  const laptop = reindexing.hookOf(apps[1] as AppRow) ?? "";
  expect(reindexing.called(dev, "laptop", laptop), "in development, too").toBe(true);
  reindexing.stop();
  await pass(5_000);
  expect(asked).toHaveLength(2);
});

it("knows no other hook: of another app, another environment, an app that connects, a former key", () => {
  const { reindexing, apps, environments } = scene();
  const [dev, prod] = environments as [EnvironmentRow, EnvironmentRow];
  const hook = reindexing.hookOf(apps[0] as AppRow) ?? "";
  expect(reindexing.hookOf(apps[2] as AppRow)).toBeNull();
  expect(reindexing.called(prod, "away", hook)).toBe(false);
  expect(reindexing.called(dev, "shop", hook)).toBe(false);
  expect(reindexing.called(prod, "connected", hook)).toBe(false);
  expect(reindexing.called(prod, "shop", "")).toBe(false);
  expect(reindexing.called(prod, "shop", "é".repeat(20))).toBe(false);
  prod.secretKeyHash = "rotated";
  expect(reindexing.called(prod, "shop", hook)).toBe(false);
});
