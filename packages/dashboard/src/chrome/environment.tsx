// Room chrome: which environment the page shows. The URL's `?env=` decides, then the last one looked at, then the first.
// Called by the shell (provider, switch) and every screen (useEnv).
import type { EnvironmentInfo } from "@holdfast/protocol";
import { useNavigate } from "@tanstack/react-router";
import { createContext, useContext } from "react";
import { recall, remember } from "../browser/device.ts";

const EnvironmentContext = createContext("dev");
export const EnvironmentProvider = EnvironmentContext.Provider;

/** The slug of the environment on screen. */
export const useEnv = (): string => useContext(EnvironmentContext);

export function chooseEnvironment(environments: readonly EnvironmentInfo[], wanted: string | undefined): string {
  const slugs = environments.map((each) => each.slug);
  const last = recall("env");
  return [wanted, last, "dev", slugs[0]].find((slug) => slug && slugs.includes(slug)) ?? wanted ?? "dev";
}

const DOT: Record<string, string> = { PRODUCTION: "bg-run", STAGING: "bg-wait", DEVELOPMENT: "bg-ok", PREVIEW: "bg-faint" };

export function EnvironmentSwitch({ environments }: { environments: readonly EnvironmentInfo[] }) {
  const env = useEnv();
  const navigate = useNavigate();
  const type = environments.find((each) => each.slug === env)?.type;
  const choose = (slug: string) => {
    remember("env", slug);
    void navigate({ to: ".", search: (now) => ({ ...now, env: slug, cursor: undefined }) });
  };
  return (
    <label className="field flex items-center gap-1.5 pr-1">
      <span className={`size-2 rounded-full ${DOT[type ?? ""] ?? "bg-faint"}`} aria-hidden="true" />
      <span className="sr-only">Environment</span>
      <select value={env} onChange={(event) => choose(event.target.value)} className="bg-bg py-0.5 pr-1 font-medium">
        {environments.map((each) => (
          <option key={each.slug} value={each.slug}>
            {each.slug}
          </option>
        ))}
      </select>
    </label>
  );
}
