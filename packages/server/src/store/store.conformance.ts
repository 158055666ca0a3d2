// What every store must do, whatever it keeps its rows in. Called by memory-store.test.ts and postgres-store.test.ts with their own way to open one.

import { afterAll, beforeAll, describe } from "vitest";
import { connections } from "./connections.conformance.ts";
import type { Context } from "./context.conformance.ts";
import { doors } from "./doors.conformance.ts";
import { crowds, gates, limits } from "./gates.conformance.ts";
import { outside } from "./outside.conformance.ts";
import { paces } from "./paces.conformance.ts";
import { catalog, statuses, texts, values } from "./rows.conformance.ts";
import { schedules } from "./schedules.conformance.ts";
import { changing, merging, opening, recording } from "./steps.conformance.ts";
import { waitingEvents } from "./waiting-events.conformance.ts";
import { claiming, intake, leases, settling } from "./work.conformance.ts";

export interface Opened extends Context {
  close(): Promise<void>;
}

export function storeConformance(name: string, open: () => Promise<Opened>): void {
  describe(`store: ${name}`, () => {
    const opened = {} as Context;
    let close: () => Promise<void>;
    beforeAll(async () => {
      const result = await open();
      Object.assign(opened, result);
      close = result.close;
    });
    afterAll(() => close?.());
    describe("intake", () => intake(opened));
    describe("intake that finishes work", () => settling(opened));
    describe("events that wait", () => waitingEvents(opened));
    describe("claim", () => claiming(opened));
    describe("leases", () => leases(opened));
    describe("recordTask", () => recording(opened));
    describe("recordTask, the rules", () => merging(opened));
    describe("openTask", () => opening(opened));
    describe("changeRun", () => changing(opened));
    describe("outside", () => outside(opened));
    describe("gates", () => gates(opened));
    describe("gates, limits", () => limits(opened));
    describe("gates with a pace", () => paces(opened));
    describe("doors", () => doors(opened));
    describe("gates, crowds", () => crowds(opened));
    describe("texts", () => texts(opened));
    describe("values", () => values(opened));
    describe("schedules", () => schedules(opened));
    describe("connections", () => connections(opened));
    describe("statuses", () => statuses(opened));
    describe("catalog", () => catalog(opened));
  });
}
