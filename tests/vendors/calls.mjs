// Tests: one call of each service, by its own SDK as its users load it, with the SDK's own retries off. Loaded by vendors.test.ts past Vite, so that Node chooses the
// files. Plain JavaScript, since these packages have a lock of their own and are no part of the type check; only openai is the one of tests/adapters.

import { LinearClient } from "@linear/sdk";
import { Octokit } from "@octokit/rest";
import sendgrid from "@sendgrid/client";
import { MailService } from "@sendgrid/mail";
import { LogSeverity, Session, shopifyApi } from "@shopify/shopify-api";
import "@shopify/shopify-api/adapters/node";
import { setAbstractFetchFunc } from "@shopify/shopify-api/runtime";
import { WebClient } from "@slack/web-api";
import { createClient as createSupabase } from "@supabase/supabase-js";
import { PlainClient } from "@team-plain/typescript-sdk";
import { createClient as createTypeform } from "@typeform/api-client";
import Airtable from "airtable";
import OpenAI from "openai";
import Replicate from "replicate";
import { Resend } from "resend";
import Stripe from "stripe";

const SILENT = { debug() {}, info() {}, warn() {}, error() {}, setLevel() {}, getLevel: () => "error", setName() {} };
const messages = [{ role: "user", content: "Hello" }];
const letter = { from: "a@b.example", to: "c@d.example", subject: "Hello", text: "Hello!" };

// It wants a WebSocket even for who uses none, and Node 20 has none.
const SUPABASE = { auth: { persistSession: false, autoRefreshToken: false }, realtime: { transport: class {} } };

/** Replicate's SDK posts a prediction whose connection broke up to six times; one that was answered it does not. */
const answered = (...call) => fetch(...call).catch(() => new Response(null, { status: 502 }));

/** By vendor: a client for a server at `url`, and calls of it. */
export const VENDORS = {
  airtable: {
    client: (url) => new Airtable({ apiKey: "pat", endpointUrl: url, noRetryIfRateLimited: true }).base("app1")("Orders"),
    calls: { read: (table) => table.select({ maxRecords: 1 }).firstPage(), write: (table) => table.create({ Name: "A" }) },
  },
  github: {
    client: (url) => new Octokit({ auth: "ghp", baseUrl: url, log: SILENT }),
    calls: {
      read: (github) => github.rest.users.getAuthenticated(),
      write: (github) => github.rest.issues.create({ owner: "a", repo: "b", title: "c" }),
    },
  },
  linear: {
    client: (url) => new LinearClient({ apiKey: "lin", apiUrl: `${url}/graphql` }),
    calls: { read: (linear) => linear.viewer, write: (linear) => linear.createIssue({ teamId: "t", title: "A" }) },
  },
  openai: {
    client: (url) => new OpenAI({ apiKey: "sk", baseURL: url, maxRetries: 0 }),
    calls: { write: (openai) => openai.chat.completions.create({ model: "gpt-5", messages }) },
  },
  plain: {
    client: (url) => new PlainClient({ apiKey: "plain", apiUrl: url }),
    calls: { read: (plain) => plain.getCustomerById({ customerId: "c_1" }) },
  },
  replicate: {
    client: (url) => new Replicate({ auth: "r8", baseUrl: url, fetch: answered }),
    calls: {
      read: (replicate) => replicate.predictions.get("p1"),
      write: (replicate) => replicate.predictions.create({ version: "v", input: {} }),
    },
  },
  resend: {
    client: (url) => new Resend("re", { baseUrl: url }),
    calls: { write: (resend) => resend.emails.send(letter) },
  },
  sendgrid: {
    client(url) {
      sendgrid.setApiKey("SG.key");
      sendgrid.setDefaultRequest("baseUrl", url);
      const mail = new MailService();
      mail.setClient(sendgrid);
      return mail;
    },
    calls: { write: (mail) => mail.send(letter) },
  },
  shopify: {
    client(url) {
      // It asks hosts of Shopify only, by https.
      setAbstractFetchFunc((asked, init) => fetch(url + new URL(asked).pathname, init));
      const logger = { level: LogSeverity.Error, log() {} };
      const app = { apiKey: "k", apiSecretKey: "s", hostName: "app.example", apiVersion: "2026-01", isEmbeddedApp: false };
      const shopify = shopifyApi({ ...app, logger });
      const session = new Session({ id: "1", shop: "a.myshopify.com", state: "", isOnline: false, accessToken: "shpat" });
      return { graphql: new shopify.clients.Graphql({ session }), rest: new shopify.clients.Rest({ session }) };
    },
    calls: {
      read: ({ rest }) => rest.get({ path: "products" }),
      write: ({ graphql }) => graphql.request("mutation { a { id } }"),
    },
  },
  slack: {
    client: (url) =>
      new WebClient("xoxb", {
        slackApiUrl: `${url}/`,
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        logger: SILENT,
      }),
    calls: { write: (slack) => slack.chat.postMessage({ channel: "C1", text: "Hello" }) },
  },
  stripe: {
    client(url) {
      const { hostname, port } = new URL(url);
      return new Stripe("sk_test", { host: hostname, port, protocol: "http", maxNetworkRetries: 0, telemetry: false });
    },
    calls: { write: (stripe) => stripe.customers.create({ email: "a@b.example" }) },
  },
  supabase: {
    client: (url) => createSupabase(url, "anon", SUPABASE),
    calls: {
      read: (supabase) => supabase.from("orders").select("id").retry(false),
      write: (supabase) => supabase.from("orders").insert({ id: 1 }),
    },
  },
  typeform: {
    client: (url) => createTypeform({ token: "tfp", apiBaseUrl: url }),
    calls: { read: (typeform) => typeform.forms.get({ uid: "f1" }) },
  },
};
