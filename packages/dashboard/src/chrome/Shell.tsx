// Room chrome: what stays while pages change: rail, top bar, palette, shortcuts, notices. Rendered by the router's root.
import type { SessionInfo } from "@holdfast/protocol";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useState } from "react";
import { useLogout } from "../api/actions.ts";
import { type LiveState, useLive } from "../api/live.ts";
import { COMMAND_KEY, setTheme, THEMES, useTheme } from "../browser/device.ts";
import { Button, Kbd } from "../parts/controls.tsx";
import { Icon, Mark } from "../parts/Icon.tsx";
import { dismissToast, useToasts } from "../parts/toast.ts";
import { EnvironmentSwitch, useEnv } from "./environment.tsx";
import { type KeyMap, useKeys } from "./keys.ts";
import { Palette } from "./Palette.tsx";
import { PAGES, type PageLink } from "./pages.ts";
import { Shortcuts } from "./Shortcuts.tsx";

export function Shell({ session }: { session: SessionInfo }) {
  const env = useEnv();
  const live = useLive(env);
  const navigate = useNavigate();
  const [open, setOpen] = useState<"palette" | "shortcuts" | null>(null);
  const goTo: KeyMap = Object.fromEntries(PAGES.map((page) => [`g ${page.key}`, () => void navigate({ to: page.to })]));
  useKeys({ ...goTo, "mod+k": () => setOpen("palette"), "?": () => setOpen("shortcuts") });
  return (
    <div className="flex h-dvh flex-col md:flex-row">
      <a href="#main" className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:bg-bg focus:p-2">
        Skip to content
      </a>
      <Rail session={session} />
      <div className="flex min-h-0 min-w-0 flex-1 flex-col">
        <TopBar session={session} live={live} onPalette={() => setOpen("palette")} onShortcuts={() => setOpen("shortcuts")} />
        <main id="main" tabIndex={-1} className="min-h-0 flex-1 overflow-auto outline-none">
          <Outlet />
        </main>
      </div>
      <Palette open={open === "palette"} onOpenChange={(next) => setOpen(next ? "palette" : null)} />
      <Shortcuts open={open === "shortcuts"} onOpenChange={(next) => setOpen(next ? "shortcuts" : null)} />
      <Toasts />
    </div>
  );
}

function Rail({ session }: { session: SessionInfo }) {
  return (
    <nav
      aria-label="Pages"
      className="order-last flex border-t border-line bg-raised md:order-first md:w-44 md:flex-col md:border-t-0 md:border-r"
    >
      <Link to="/" className="hidden items-center gap-2 px-3 py-3 text-base font-semibold md:flex">
        <Mark /> Holdfast
      </Link>
      <div className="flex flex-1 overflow-x-auto md:flex-col md:gap-px md:overflow-visible md:px-2">
        {PAGES.map((page) => (
          <RailLink key={page.to} page={page} />
        ))}
      </div>
      <p className="hidden px-3 py-2.5 text-2xs text-faint md:block">
        {session.version} · {session.mode === "dev" ? "dev, local" : "server"}
      </p>
    </nav>
  );
}

const RAIL_LINK =
  "group flex min-w-9 flex-1 flex-col items-center gap-0.5 px-1.5 py-1.5 text-2xs md:h-7.5 md:flex-none md:flex-row md:gap-2.5 md:rounded-md md:px-2 md:text-sm";

function RailLink({ page }: { page: PageLink }) {
  return (
    <Link
      to={page.to}
      activeOptions={{ exact: page.to === "/", includeSearch: false }}
      className={RAIL_LINK}
      activeProps={{ className: "font-semibold text-accent md:bg-selected md:text-ink", "aria-current": "page" }}
      inactiveProps={{ className: "text-soft hover:bg-hover hover:text-ink" }}
    >
      <Icon name={page.icon} size={15} />
      <span className="max-[36rem]:sr-only max-[36rem]:group-aria-[current=page]:not-sr-only">{page.title}</span>
    </Link>
  );
}

interface TopBarProps {
  session: SessionInfo;
  live: LiveState;
  onPalette(): void;
  onShortcuts(): void;
}

function TopBar({ session, live, onPalette, onShortcuts }: TopBarProps) {
  const logout = useLogout();
  const busy = useRouterState({ select: (state) => state.isLoading });
  return (
    <header className="flex h-11 shrink-0 items-center gap-2 border-b border-line px-3">
      <span className="md:hidden">
        <Mark size={20} />
      </span>
      <EnvironmentSwitch environments={session.environments} />
      <LiveDot state={live} />
      <span role="status" className="flex-1 truncate text-xs text-faint">
        {busy ? "Opening…" : ""}
      </span>
      <Button kind="plain" icon="search" onClick={onPalette} className="text-soft">
        <span className="sr-only sm:not-sr-only">Find</span>
        <span className="hidden sm:inline" aria-hidden="true">
          <Kbd>{COMMAND_KEY}K</Kbd>
        </span>
      </Button>
      <ThemeButton />
      <Button
        kind="icon"
        icon="keyboard"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        className="hidden sm:inline-flex"
        onClick={onShortcuts}
      />
      {session.mode === "start" && (
        <Button kind="icon" icon="leave" aria-label="Log out" title="Log out" onClick={() => logout.mutate()} />
      )}
    </header>
  );
}

const LIVE: Record<LiveState, { word: string; dot: string; why: string }> = {
  live: { word: "Live", dot: "bg-ok", why: "Changes appear as they happen." },
  connecting: { word: "Connecting", dot: "bg-wait", why: "Opening the live stream." },
  polling: { word: "Polling", dot: "bg-wait", why: "The live stream is not available; this page asks every 5 seconds." },
};

function LiveDot({ state }: { state: LiveState }) {
  const { word, dot, why } = LIVE[state];
  return (
    <span role="status" title={why} className="inline-flex items-center gap-1.5 text-xs text-soft">
      <span className={`size-1.5 rounded-full ${dot}`} aria-hidden="true" />
      {word}
    </span>
  );
}

const THEME_ICON = { system: "screen", light: "sun", dark: "moon" } as const;

function ThemeButton() {
  const theme = useTheme();
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "system";
  const label = `Theme: ${theme}. Change to ${next}`;
  return <Button kind="icon" icon={THEME_ICON[theme]} aria-label={label} title={label} onClick={() => setTheme(next)} />;
}

function Toasts() {
  const toasts = useToasts();
  return (
    <div
      role="status"
      className="pointer-events-none fixed right-3 bottom-16 z-50 flex w-80 max-w-[calc(100vw-1.5rem)] flex-col gap-2 md:bottom-3"
    >
      {toasts.map((toast) => (
        <div key={toast.id} className="card pointer-events-auto flex items-start gap-2 p-2.5 shadow-lg">
          <Icon
            name={toast.tone === "ok" ? "check" : "alarm"}
            className={`mt-0.5 ${toast.tone === "ok" ? "text-ok" : "text-bad"}`}
          />
          <span className="flex-1 [overflow-wrap:anywhere]">{toast.text}</span>
          <button type="button" aria-label="Dismiss" className="text-faint hover:text-ink" onClick={() => dismissToast(toast.id)}>
            <Icon name="cross" size={12} />
          </button>
        </div>
      ))}
    </div>
  );
}
