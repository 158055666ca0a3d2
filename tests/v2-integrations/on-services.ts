// Tests: a job on each of v2's integrations as published, but for OpenAI and Resend, which tests/published/integrations.ts has. Their services are played by a server of the test.
// Written against the published SDK's types; copied unchanged to where `@trigger.dev/sdk` is the published package, and to ours.
import { Airtable } from "@trigger.dev/airtable";
import { events, Github } from "@trigger.dev/github";
import { Linear } from "@trigger.dev/linear";
import { Plain } from "@trigger.dev/plain";
import { Replicate } from "@trigger.dev/replicate";
import { eventTrigger, type IOWithIntegrations, TriggerClient } from "@trigger.dev/sdk";
import { SendGrid } from "@trigger.dev/sendgrid";
import { Slack } from "@trigger.dev/slack";
import { Stripe } from "@trigger.dev/stripe";
import { Supabase, SupabaseManagement } from "@trigger.dev/supabase";
import { Typeform } from "@trigger.dev/typeform";

export const client = new TriggerClient({ id: "v2-integrations" });
const SERVICES = process.env.SERVICES_URL ?? "";
const job = (id: string) => ({ id, name: id, version: "1.0.0", trigger: eventTrigger({ name: `integrations.${id}` }) });

const airtable = new Airtable({ id: "airtable", token: "airtable-secret" });
client.defineJob({
  ...job("airtable"),
  integrations: { airtable },
  run: async (_payload, io) => {
    const table = io.airtable.base("app1").table<{ Name: string }>("Goals");
    const [made] = await table.createRecords("create", [{ fields: { Name: "made" } }]);
    const records = await table.getRecords("list", { fields: ["Name"], maxRecords: 2 });
    return { made: made?.id, names: records.map(({ fields }) => fields.Name) };
  },
});

const github = new Github({ id: "github", token: "github-secret" });
client.defineJob({
  ...job("github"),
  integrations: { github },
  run: async (_payload, io) => {
    const issue = await io.github.issues.create("issue", { owner: "acme", repo: "shop", title: "Broken" });
    const login = await io.github.runTask("who", async (octokit) => (await octokit.rest.users.getAuthenticated()).data.login, {
      name: "Who",
    });
    return { number: issue.number, login };
  },
});
// Its trigger registers a hook at GitHub by itself, and verifies what comes there.
client.defineJob({
  id: "github-issue",
  name: "GitHub issue",
  version: "1.0.0",
  integrations: { github },
  trigger: github.triggers.repo({ event: events.onIssueOpened, owner: "acme", repo: "shop" }),
  run: async (payload, io) => {
    const comment = await io.github.issues.createComment("comment", {
      owner: "acme",
      repo: "shop",
      issueNumber: payload.issue.number,
      body: "Thanks",
    });
    return { title: payload.issue.title, comment: comment.id };
  },
});

const linear = new Linear({ id: "linear", apiKey: "linear-secret" });
client.defineJob({
  ...job("linear"),
  integrations: { linear },
  run: async (_payload, io) => (await io.linear.viewer("viewer")).name,
});

const plain = new Plain({ id: "plain", apiKey: "plain-secret", apiUrl: `${SERVICES}/plain` });
client.defineJob({
  ...job("plain"),
  integrations: { plain },
  run: async (_payload, io) => (await io.plain.getCustomerById("customer", { customerId: "c1" }))?.fullName,
});

const replicate = new Replicate({ id: "replicate", apiKey: "replicate-secret" });
client.defineJob({
  ...job("replicate"),
  integrations: { replicate },
  // Its end is told to the task's callback.
  run: async (_payload, io) => {
    const prediction = await io.replicate.predictions.createAndAwait(
      "predict",
      { version: "v1", input: { prompt: "a whale" } },
      { timeoutInSeconds: 120 },
    );
    return { status: prediction.status, output: prediction.output };
  },
});

const sendgrid = new SendGrid({ id: "sendgrid", apiKey: "SG.secret" });
client.defineJob({
  ...job("sendgrid"),
  integrations: { sendgrid },
  run: async (_payload, io) => {
    await io.sendgrid.sendEmail("mail", { to: "a@example.com", from: "b@example.com", subject: "Hello", text: "Hi" });
    return "sent";
  },
});

// No key in code: v2 kept it, or asked a resolver.
const slack = new Slack({ id: "slack" });
client.defineAuthResolver(slack, async (ctx) => ({ type: "oauth", token: `xoxb-secret-of-${ctx.account?.id ?? "nobody"}` }));
client.defineJob({
  ...job("slack"),
  integrations: { slack },
  run: async (_payload, io) => post(io),
});
async function post(io: IOWithIntegrations<{ slack: Slack }>): Promise<string | undefined> {
  await io.slack.joinConversation("join", { channel: "C1" });
  return (await io.slack.postMessage("post", { channel: "C1", text: "Hello" })).ts;
}

const stripe = new Stripe({ id: "stripe", apiKey: "sk_test_secret" });
client.defineJob({
  ...job("stripe"),
  integrations: { stripe },
  run: async (_payload, io) => {
    const customer = await io.stripe.customers.create("customer", { email: "a@example.com" });
    return { customer: customer.id };
  },
});

const supabase = new Supabase({ id: "supabase", supabaseUrl: `${SERVICES}/supabase`, supabaseKey: "supabase-secret" });
const management = new SupabaseManagement({ id: "supabase-management", apiKey: "sbp_secret" });
client.defineJob({
  ...job("supabase"),
  integrations: { supabase, management },
  run: async (_payload, io) => {
    const rows = await io.supabase.runTask("rows", async (db) => {
      const { data, error } = await db.from("users").select("*").eq("id", 1);
      if (error) throw error;
      return data;
    });
    const organizations = await io.management.getOrganizations("organizations");
    return { rows, organizations: organizations?.map(({ name }) => name) };
  },
});

const typeform = new Typeform({ id: "typeform", token: "typeform-secret" });
client.defineJob({
  ...job("typeform"),
  integrations: { typeform },
  run: async (_payload, io) => (await io.typeform.forms.list("forms", { pageSize: 1 })).items.map(({ title }) => title),
});
