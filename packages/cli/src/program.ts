// The command tree: names, flags and help; each action builds a context and calls one function of a room. Called by main.ts and by tests.
// Promise: resolves with the exit code, whatever happens; nothing here ends the process.
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import type { ServerFlags } from "./api/find-server.ts";
import { listApps, registerApp } from "./commands/apps.ts";
import { type Context, createContext } from "./commands/context.ts";
import { type DeliveriesFlags, listDeliveries } from "./commands/deliveries.ts";
import { listEndpoints, type SendSampleFlags, sendSample, showEndpointUrl } from "./commands/endpoints.ts";
import { getEvent, listSkipped, type SkippedFlags } from "./commands/events.ts";
import { getRun, listRuns, type RunFilterFlags } from "./commands/runs.ts";
import { type SendFlags, sendEvent } from "./commands/send.ts";
import { tailRuns } from "./commands/tail.ts";
import { dev } from "./dev/dev.ts";
import { doctor } from "./doctor/doctor.ts";
import { FRAMEWORKS } from "./init/detect.ts";
import { type InitFlags, init } from "./init/init.ts";
import { type MigrateFlags, migrate } from "./migrate/migrate.ts";
import { CommandError, EXIT } from "./output/exit-codes.ts";
import { createOutput } from "./output/output.ts";
import type { CliWorld } from "./platform/world.ts";
import { type LoadServer, loadServer } from "./serve/server-entry.ts";
import { start } from "./serve/start.ts";
import type { Flags } from "./settings/settings.ts";

const EXIT_CODES = `
Exit codes: 0 ok, 1 failed, 2 usage, 3 not found, 4 auth, 5 server unreachable, 6 app unreachable, 7 timeout, 130 interrupted.
Results go to stdout, commentary to stderr. The server is found by --url and --token, then HOLDFAST_API_URL and HOLDFAST_API_KEY,
then <data-dir>/server.json.`;

/** A command's work; the exit code when it is a number, else it ended well. */
type Act<F> = (context: Context, flags: F) => Promise<unknown>;

/**
 * Runs one command line.
 *
 * @param words what stands behind `holdfast`
 * @returns the exit code
 * @example await run(["runs", "list", "--json"], realWorld())
 */
export async function run(words: string[], world: CliWorld, load: LoadServer = loadServer): Promise<number> {
  const [own, command] = splitAtDashes(words);
  let exit: number = EXIT.ok;
  const acting = async <F extends Flags>(flags: F, act: Act<F>): Promise<void> => {
    const result = await act(await createContext(world, flags), flags);
    if (typeof result === "number") exit = result;
  };
  const output = createOutput(world, own.includes("--json"));
  const program = buildProgram({ ...world, err: output.json ? () => {} : world.err }, acting, { load, command });
  try {
    await program.parseAsync(own, { from: "user" });
    return exit;
  } catch (error) {
    if (!(error instanceof CommanderError)) return output.fail(error);
    if (error.exitCode === 0) return EXIT.ok;
    if (output.json)
      output.fail(
        new CommandError(
          "USAGE",
          error.code === "commander.help" ? "No command was named." : error.message.replace(/^error: /, ""),
          "See --help.",
        ),
      );
    return EXIT.usage;
  }
}

/** Only `dev` takes what stands behind `--`; it is not ours to read. */
function splitAtDashes(words: string[]): [own: string[], command: string[]] {
  const at = words.indexOf("--");
  return at === -1 ? [words, []] : [words.slice(0, at), words.slice(at + 1)];
}

type Acting = <F extends Flags>(flags: F, act: Act<F>) => Promise<void>;

function buildProgram(world: CliWorld, acting: Acting, given: { load: LoadServer; command: string[] }): Command {
  const program = new Command("holdfast")
    .description("Durable background jobs, self-hosted.")
    .version(version(), "--version")
    .helpOption("-h, --help")
    .addHelpText("after", EXIT_CODES)
    .showHelpAfterError("(see --help)")
    .exitOverride()
    .configureOutput({ writeOut: world.out, writeErr: world.err });
  addServing(program, acting, given);
  addProjects(program, acting);
  addDoctor(program, acting, given.load);
  addRuns(program, acting);
  addSend(program, acting);
  addApps(program, acting);
  addEndpoints(program, acting);
  addEvents(program, acting);
  addDeliveries(program, acting);
  return program;
}

function addServing(program: Command, acting: Acting, { load, command }: { load: LoadServer; command: string[] }): void {
  withServing(program.command("dev [files...]").usage("[options] [files...] [-- command...]"))
    .description("server, database and dashboard, with your files watched and reloaded, or your own dev command behind --")
    .option(
      "--app-url <url>",
      "an app that is called by HTTP, as on the published v2 SDK: register it once it answers; repeatable",
      collect,
    )
    .action((files: string[], flags: Flags & { appUrl?: string[] }) =>
      acting(flags, (context) => dev(context, load, { files, command, appUrls: flags.appUrl ?? [] })),
    );
  withServing(program.command("start"))
    .description("the server for production; needs HOLDFAST_ENCRYPTION_KEY and HOLDFAST_ADMIN_PASSWORD")
    .action((flags: Flags) => acting(flags, (context) => start(context, load)));
}

function addProjects(program: Command, acting: Acting): void {
  proposing(program.command("init"))
    .description("write a client, a first job and the route for your framework; shows a diff and asks")
    .option("--framework <name>", `${FRAMEWORKS.join(", ")}; default: what package.json names`)
    .action((flags: Flags & InitFlags) => acting(flags, (context) => init(context, flags, version())));
  proposing(program.command("migrate"))
    .description("turn a project on Trigger.dev v2 over to our SDK; shows a diff, says what does not carry over, and asks")
    .option("--imports", "rewrite imports to @holdfast/sdk; default: an alias under v2's name, and imports of adapters only")
    .option("--rename-env", "rename TRIGGER_API_KEY and TRIGGER_API_URL, which are understood as they are")
    .action((flags: Flags & MigrateFlags) => acting(flags, (context) => migrate(context, flags, version())));
}

const collect = (value: string, before: string[] = []) => [...before, value];

function addDoctor(program: Command, acting: Acting, load: LoadServer): void {
  withServing(withServer(program.command("doctor")))
    .description("look at everything a server needs and say what is wrong")
    .action((flags: Flags & ServerFlags) => acting(flags, (context) => doctor(context, flags, load)));
}

function addRuns(program: Command, acting: Acting): void {
  const runs = program.command("runs").description("list, get or follow runs");
  const filtered = (command: Command) =>
    asking(command)
      .option("--job <id>", "only runs of this job")
      .option("--status <status...>", "only runs with one of these statuses, such as SUCCESS or FAILURE");
  filtered(runs.command("list"))
    .description("runs, newest first")
    .option("--limit <n>", "how many", "20")
    .action((flags: Flags & RunFilterFlags & { limit: string }) => acting(flags, listRuns));
  asking(runs.command("get <id>"))
    .description("one run with its tasks")
    .action((id: string, flags: Flags & ServerFlags) => acting(flags, (context) => getRun(context, id, flags)));
  filtered(runs.command("tail"))
    .description("runs as they happen, until Ctrl-C")
    .action((flags: Flags & RunFilterFlags) => acting(flags, tailRuns));
}

function addSend(program: Command, acting: Acting): void {
  asking(program.command("send <event>"))
    .description("send an event; jobs that listen to its name run")
    .option("--payload <json|@file|->", "its payload", "{}")
    .option("--context <json|@file>", "its context")
    .option("--id <id>", "its id: a second event with the same id starts nothing")
    .option("--source <source>", "its source, when it is not your own")
    .option("--deliver-after <seconds>", "not before this many seconds have passed")
    .action((event: string, flags: Flags & SendFlags) => acting(flags, (context) => sendEvent(context, event, flags)));
}

function addApps(program: Command, acting: Acting): void {
  const apps = program.command("apps").description("list apps, register one by its URL");
  asking(apps.command("list"))
    .description("every app, and whether it can be reached")
    .action((flags: Flags & ServerFlags) => acting(flags, listApps));
  asking(apps.command("register <id> <url>"))
    .description("register an app that is called by HTTP; apps that dial out need not be registered")
    .action((id: string, url: string, flags: Flags & ServerFlags) =>
      acting(flags, (context) => registerApp(context, { id, url }, flags)),
    );
}

function addEndpoints(program: Command, acting: Acting): void {
  const endpoints = program.command("endpoints").description("list endpoints, print a URL, send a sample");
  asking(endpoints.command("list"))
    .description("every endpoint your apps define")
    .action((flags: Flags & ServerFlags) => acting(flags, listEndpoints));
  asking(endpoints.command("url <id>"))
    .description("the address to enter at the provider")
    .action((id: string, flags: Flags & ServerFlags) => acting(flags, (context) => showEndpointUrl(context, id, flags)));
  asking(endpoints.command("send <id>"))
    .description("send one of the provider's sample events, correctly signed unless told otherwise")
    .requiredOption("--sample <name>", "which one, such as user.created")
    .option("--tamper", "change the body after it was signed")
    .option("--stale", "sign it with a time six minutes ago")
    .option("--unsigned", "leave the signature out")
    .option("--wrong-secret", "sign it with another secret")
    .option("--secret <secret>", "sign it with this secret")
    .action((id: string, flags: Flags & SendSampleFlags) => acting(flags, (context) => sendSample(context, id, flags)));
}

function addEvents(program: Command, acting: Acting): void {
  const events = program.command("events").description("events sent, and what came of them");
  asking(events.command("get <id>"))
    .description("an event by the id its sender gave it: its runs, and why it started none of a job")
    .action((id: string, flags: Flags & ServerFlags) => acting(flags, (context) => getEvent(context, id, flags)));
  asking(events.command("skipped"))
    .description("events that started no run of a job because of its rateLimit or debounce, newest first")
    .requiredOption("--job <id>", "the job")
    .option("--limit <n>", "how many", "20")
    .action((flags: Flags & SkippedFlags) => acting(flags, listSkipped));
}

function addDeliveries(program: Command, acting: Acting): void {
  asking(program.command("deliveries").description("requests received").command("list"))
    .description("requests received, newest first, with their verdicts")
    .option("--endpoint <id>", "only of this endpoint")
    .option("--verdict <verdict>", "only verified, refused, duplicate or pending ones")
    .option("--limit <n>", "how many", "20")
    .action((flags: Flags & DeliveriesFlags) => acting(flags, listDeliveries));
}

const withJson = (command: Command) => command.option("--json", "results as JSON");
const proposing = (command: Command) =>
  withJson(command).option("-y, --yes", "write it without asking").option("--dry-run", "show it, write nothing");
const withDataDir = (command: Command) => command.option("--data-dir <path>", "where data lives (HOLDFAST_DATA_DIR, .holdfast)");
const withServer = (command: Command) =>
  command
    .option("--url <url>", "the server (HOLDFAST_API_URL)")
    .option("--token <key>", "a secret key of it (HOLDFAST_API_KEY)")
    .option("--env <slug>", "environment: dev or prod; default: the one the key opens");
const asking = (command: Command) => withJson(withDataDir(withServer(command)));
const withServing = (command: Command) =>
  withJson(withDataDir(command))
    .option("--port <number>", "0 takes any free one (HOLDFAST_PORT, 3040)")
    .option("--host <address>", "address to listen on (HOLDFAST_HOST, 127.0.0.1)")
    .option("--database-url <url>", "a PostgreSQL of your own (DATABASE_URL)")
    .option("--dev-schedules <on|off>", "schedules in development environments (HOLDFAST_DEV_SCHEDULES, on)")
    .option("--public-url <url>", "where other services reach it (HOLDFAST_PUBLIC_URL)")
    .option("--api-rate-limit <a second[:at once]>", "requests of one environment (HOLDFAST_API_RATE_LIMIT, off)")
    .option("--runs-at-once <number>", "runs of one environment that execute at once (HOLDFAST_RUNS_AT_ONCE, off)");

function version(): string {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")).version;
}
