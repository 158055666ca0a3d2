// Tests: jobs on the published integrations of OpenAI and Resend, whose services are played by a server of the test. Written against the published SDK's types; copied unchanged to
// where `@trigger.dev/sdk` is the published package, and to ours. OPENAI_URL, RESEND_BASE_URL: where they are.
import { OpenAI } from "@trigger.dev/openai";
import { Resend } from "@trigger.dev/resend";
import { eventTrigger, TriggerClient } from "@trigger.dev/sdk";

export const client = new TriggerClient({ id: "integrations" });

const openai = new OpenAI({ id: "openai", apiKey: "sk-secret", baseURL: process.env.OPENAI_URL ?? "" });
const resend = new Resend({ id: "resend", apiKey: "re-secret" });

client.defineJob({
  id: "write-and-mail",
  name: "Write and mail",
  version: "1.0.0",
  trigger: eventTrigger({ name: "integrations.write" }),
  integrations: { openai, resend },
  run: async (payload: { to: string }, io) => {
    const messages = [{ role: "user" as const, content: "Say hello" }];
    const written = await io.openai.chat.completions.create("write", { model: "gpt-4", messages });
    const behind = await io.openai.chat.completions.backgroundCreate("write behind", { model: "gpt-4", messages });
    const text = written.choices[0]?.message.content ?? "";
    const mail = await io.resend.emails.send("mail", { from: "a@b.example", to: payload.to, subject: "Hello", text });
    const raw = await io.openai.runTask("raw", async (ai) => (await ai.models.list()).data.length, { name: "Count models" });
    return { text, behind: behind.choices[0]?.message.content, mail, raw };
  },
});
