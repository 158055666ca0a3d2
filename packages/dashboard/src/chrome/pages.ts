// Room chrome: the pages of the rail, the palette and the `g` shortcuts, in one list.
import type { IconName } from "../parts/Icon.tsx";

export interface PageLink {
  to: "/" | "/runs" | "/jobs" | "/endpoints" | "/deliveries" | "/integrations" | "/environments" | "/catalogue";
  title: string;
  icon: IconName;
  /** Pressed after `g`. */
  key: string;
}

export const PAGES: readonly PageLink[] = [
  { to: "/", title: "Home", icon: "home", key: "h" },
  { to: "/runs", title: "Runs", icon: "runs", key: "r" },
  { to: "/jobs", title: "Jobs", icon: "jobs", key: "j" },
  { to: "/endpoints", title: "Endpoints", icon: "endpoints", key: "e" },
  { to: "/deliveries", title: "Deliveries", icon: "deliveries", key: "d" },
  { to: "/integrations", title: "Integrations", icon: "integrations", key: "i" },
  { to: "/environments", title: "Environments", icon: "environments", key: "v" },
  { to: "/catalogue", title: "Catalogue", icon: "catalogue", key: "c" },
];
