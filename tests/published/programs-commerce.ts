// Tests: programs of a shop, in the style of apps written for v2: orders, carts, invoices, refunds, stock. Their tables are maps here. Started, and what must come out told, by
// tests/many-programs.test.ts; copied unchanged to where `@trigger.dev/sdk` is the published package, and to ours.
import { eventTrigger, invokeTrigger } from "@trigger.dev/sdk";
import { z } from "zod";
import { client } from "./programs.ts";
import { vendor } from "./programs-vendor.ts";

const orderSchema = z.object({
  id: z.string(),
  customer: z.string().email(),
  lines: z.array(z.object({ sku: z.string(), quantity: z.number().int().positive() })).min(1),
});
const stock = new Map([
  ["mug", 40],
  ["pen", 3],
]);
const prices: Record<string, number> = { mug: 900, pen: 150 };

client.defineJob({
  id: "fulfil-order",
  name: "Fulfil order",
  version: "1.0.0",
  trigger: eventTrigger({ name: "shop.order.created", schema: orderSchema }),
  run: async (order, io) => {
    let total = 0;
    for (const { sku, quantity } of order.lines) {
      const left = await io.runTask(
        ["reserve", sku],
        async () => {
          const had = stock.get(sku) ?? 0;
          if (had < quantity) throw new Error(`Only ${had} of ${sku} left`);
          return had >= quantity;
        },
        { name: `Reserve ${sku}`, icon: "box", properties: [{ label: "Quantity", text: String(quantity) }] },
      );
      if (left) total += quantity * (prices[sku] ?? 0);
    }
    const charge = await io.runTask(
      "charge",
      async (task) => {
        if (task.attempts === 1) throw new Error("The card service is busy");
        return { cents: total, key: task.idempotencyKey.length };
      },
      { name: "Charge", retry: { limit: 3, minTimeoutInMs: 20, maxTimeoutInMs: 20, factor: 1, randomize: false } },
    );
    await io.wait("until the warehouse opens", 0.05);
    await io.sendEvent("tell", { name: "shop.order.shipped", payload: { order: order.id, customer: order.customer } });
    return { order: order.id, charge };
  },
});

client.defineJob({
  id: "mail-shipped",
  name: "Mail: your order is on its way",
  version: "1.0.0",
  trigger: eventTrigger({ name: "shop.order.shipped", filter: { customer: [{ $endsWith: "@example.com" }] } }),
  run: async (payload: { order: string; customer: string }, io) =>
    io.runTask("mail", () => vendor<{ sent: string }>("mail", { to: payload.customer, about: payload.order }), { name: "Mail" }),
});

const carts = new Map<string, { bought: boolean }>([
  ["c1", { bought: false }],
  ["c2", { bought: true }],
]);
client.defineJob({
  id: "abandoned-cart",
  name: "Abandoned cart",
  version: "2.1.0",
  trigger: eventTrigger({ name: "shop.cart.updated", schema: z.object({ cart: z.string() }) }),
  run: async ({ cart }, io) => {
    await io.wait("give them time", 0.1);
    const bought = await io.runTask("look", async () => carts.get(cart)?.bought ?? false, { name: "Look at the cart" });
    if (bought) {
      await io.logger.info("They bought it", { cart });
      return { reminded: false };
    }
    await io.runTask("remind", () => vendor("mail", { to: cart, about: "your cart" }), { name: "Remind", icon: "mail" });
    return { reminded: true };
  },
});

client.defineJob({
  id: "dun-invoice",
  name: "Dun an invoice",
  version: "1.0.0",
  trigger: eventTrigger({ name: "shop.invoice.due", schema: z.object({ invoice: z.string(), patience: z.number() }) }),
  run: async ({ invoice, patience }, io) => {
    const reminders: string[] = [];
    for (const tone of ["friendly", "firm"]) {
      const paid = await io.try(
        async () => {
          const filter = { invoice: [invoice] };
          const event = await io.waitForEvent(
            ["paid", tone],
            { name: "shop.invoice.paid", filter },
            { timeoutInSeconds: patience },
          );
          return event.payload as { invoice: string };
        },
        async () => null,
      );
      if (paid) return { reminders, paid: paid.invoice };
      await io.runTask(["remind", tone], () => vendor("mail", { to: invoice, about: tone }), { name: `Reminder: ${tone}` });
      reminders.push(tone);
      if (tone === "firm") await io.sendEvent("give up", { name: "shop.invoice.lost", payload: { invoice } });
    }
    return { reminders, paid: null };
  },
});

client.defineJob({
  id: "write-off",
  name: "Write off an invoice",
  version: "1.0.0",
  trigger: eventTrigger({ name: "shop.invoice.lost" }),
  run: async (payload: { invoice: string }, _io, ctx) => ({ ...payload, by: ctx.event.name }),
});

client.defineJob({
  id: "refund",
  name: "Refund, once somebody approves",
  version: "1.0.0",
  trigger: eventTrigger({ name: "shop.refund.asked", schema: z.object({ order: z.string(), cents: z.number() }) }),
  run: async ({ order, cents }, io) => {
    if (cents > 1_000) {
      const answer = await io.waitForRequest<{ approved: boolean; by: string }>(
        "approval",
        async (url) => {
          await vendor("approve", { url, cents });
        },
        { timeoutInSeconds: 60 },
      );
      if (!answer.approved) return { refunded: 0, by: answer.by };
    }
    const refund = await io.runTask("refund", async (task) => {
      task.outputProperties = [{ label: "Refunded", text: `${cents / 100} EUR` }];
      return { order, cents };
    });
    return { refunded: refund.cents, by: cents > 1_000 ? "somebody" : "the rules" };
  },
});

const restock = client.defineJob({
  id: "restock",
  name: "Restock one article",
  version: "1.0.0",
  trigger: invokeTrigger({ schema: z.object({ sku: z.string(), to: z.number() }) }),
  concurrencyLimit: client.defineConcurrencyLimit({ id: "supplier", limit: 2 }),
  run: async ({ sku, to }, io) => {
    if (!prices[sku]) throw new Error(`No supplier has ${sku}`);
    return io.runTask("order", async () => ({ sku, ordered: Math.max(0, to - (stock.get(sku) ?? 0)) }), { name: `Order ${sku}` });
  },
});

client.defineJob({
  id: "restock-all",
  name: "Restock what runs out",
  version: "1.0.0",
  trigger: eventTrigger({ name: "shop.stock.counted" }),
  run: async (payload: { wanted: Record<string, number> }, io) => {
    const items = Object.entries(payload.wanted).map(([sku, to]) => ({ payload: { sku, to } }));
    const results = await restock.batchInvokeAndWaitForCompletion("all", items);
    await io.logger.info("Restocked", { articles: results.length });
    return results.map((run) => (run.ok ? run.output : { status: run.status, why: (run.error as { message: string }).message }));
  },
});

client.defineJob({
  id: "apply-discounts",
  name: "Apply discounts",
  version: "1.0.0",
  trigger: eventTrigger({ name: "shop.sale.begins", schema: z.object({ percent: z.number().min(1).max(90) }) }),
  run: async ({ percent }, io) => {
    const cheaper = await io.parallel("articles", Object.entries(prices), async ([sku, price], index) =>
      io.runTask(["discount", sku], async () => ({ sku, price: Math.round((price * (100 - percent)) / 100) }), {
        name: `Discount ${index + 1}`,
        style: { style: "minimal", variant: sku },
      }),
    );
    return Object.fromEntries(cheaper.map(({ sku, price }) => [sku, price]));
  },
});
