// Room home: what to do first, shown until an app is connected. Called by HomePage.
import { useQuery } from "@tanstack/react-query";
import { keysQuery, sessionQuery } from "../api/queries.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Code } from "../parts/Code.tsx";
import { Button } from "../parts/controls.tsx";
import type { Language } from "../parts/highlight.ts";
import { Icon } from "../parts/Icon.tsx";

const APP = `import { eventTrigger, TriggerClient } from "@holdfast/sdk";

const client = new TriggerClient({ id: "my-app" });

client.defineJob({
  id: "hello",
  name: "Hello",
  version: "1.0.0",
  trigger: eventTrigger({ name: "hello" }),
  run: async (payload, io) => {
    await io.logger.info("Body", payload);
  },
});

client.connect();`;

interface Step {
  title: string;
  text: string;
  language: Language;
}

export function FirstSteps() {
  const env = useEnv();
  const isDev = useQuery(sessionQuery).data?.mode === "dev";
  const keys = useQuery({ ...keysQuery(env), enabled: false });
  const key = keys.data?.secretKey ?? "tr_…";
  const start = isDev
    ? "npx holdfast dev app.ts"
    : `HOLDFAST_API_URL=${window.location.origin} HOLDFAST_API_KEY=${key} node app.js`;
  const steps: Step[] = [
    { title: "Add the SDK to your project", text: "npm install @holdfast/sdk", language: "shell" },
    { title: "Write a job in app.ts", text: APP, language: "ts" },
    { title: "Start it", text: start, language: "shell" },
    { title: "Trigger it", text: `npx holdfast send hello --payload '{"name": "Ada"}'`, language: "shell" },
  ];
  return (
    <section aria-label="First steps" className="card p-4">
      <h2 className="text-base font-semibold">Your first run, in four steps</h2>
      <p role="status" className="mt-1 mb-4 flex items-center gap-2 text-soft">
        <Icon name="spinner" className="spin text-run" />
        No app is connected to {env}. This page changes by itself when one is.
      </p>
      <ol className="flex flex-col gap-4">
        {steps.map((step, at) => (
          <li key={step.title}>
            <h3 className="mb-1 font-medium">
              {at + 1}. {step.title}
            </h3>
            <Code text={step.text} language={step.language} label={step.title} wrap />
          </li>
        ))}
      </ol>
      {!isDev && !keys.data && (
        <Button className="mt-3" icon="key" onClick={() => void keys.refetch()}>
          Put this environment's key into the commands
        </Button>
      )}
    </section>
  );
}
