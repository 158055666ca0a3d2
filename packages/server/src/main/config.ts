// Room: main. What a server is started with. The CLI resolves flags, environment and config file into this; nothing below main reads any of them.
import type { LogLevel } from "../platform/log.ts";

export interface ServerConfig {
  /** dev: loopback, no login, keys and encryption key made for you. start: for production; both are demanded. */
  mode: "dev" | "start";
  host: string;
  /** 0: any free one. */
  port: number;
  dataDir: string;
  /** Any PostgreSQL ≥ 15. Default: the embedded one, in the data directory. */
  databaseUrl?: string | undefined;
  /** 32 bytes as base64 or 64 hex digits. */
  encryptionKey?: string | undefined;
  adminPassword?: string | undefined;
  /** Used for the environments on first boot. */
  devApiKey?: string | undefined;
  prodApiKey?: string | undefined;
  /** Values of catalogue providers' secret variables, for signing samples: {"CLERK_WEBHOOK_SIGNING_SECRET": "whsec_…"}. */
  sampleSecrets?: Record<string, string>;
  /** Built dashboard files; default: those that ship with the server. */
  dashboardDir?: string | undefined;
  /** Log as JSON lines. */
  json?: boolean;
  logLevel?: LogLevel;
  /** Whether schedules run in DEVELOPMENT environments. Default true. */
  devSchedules?: boolean;
  /** Where other services reach this server: "https://jobs.example.com". Default: where it listens. */
  publicUrl?: string | undefined;
  /** How often programs of one environment may call this server's API. Default: as often as they like. */
  apiRate?: { perSecond: number; burst: number } | undefined;
  /** How many runs of each environment may execute at once, on all servers together. Default: any number. */
  runsAtOnce?: number | undefined;
  /** Largest webhook body, in bytes. Default 10 MiB. */
  maxBodyBytes?: number;
}

export interface RunningServer {
  /** http://host:port, without a trailing slash. */
  url: string;
  port: number;
  /** Secret keys of the two environments. */
  keys: { dev: string; prod: string };
  /** Drains and stops everything; resolves when nothing is left. */
  stop(): Promise<void>;
}
