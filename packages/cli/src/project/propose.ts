// Room: project. Shows a plan as a diff, asks, and applies it: the one way init and migrate write. Promises: nothing is written with a conflict, with
// --dry-run, without a yes, or when a file is no longer as the plan saw it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Context } from "../commands/context.ts";
import { CommandError, EXIT, type ExitCode } from "../output/exit-codes.ts";
import type { Output } from "../output/output.ts";
import { unifiedDiff } from "./diff.ts";
import type { Change, Plan, Remark } from "./plan.ts";

export interface ProposeFlags {
  /** Apply without asking. */
  yes?: boolean;
  /** Show, and apply nothing. */
  dryRun?: boolean;
  json?: boolean;
}

export interface Proposal {
  plan: Plan;
  /** What the command found out, for --json and the first line. */
  facts: object;
  headline: string;
  /** What to do once it is applied. */
  next: string[];
}

/** Shows the proposal and does what the flags and the person say; the command's exit code. */
export async function propose(context: Context, proposal: Proposal, flags: ProposeFlags): Promise<ExitCode> {
  const { output } = context;
  const { plan } = proposal;
  if (!flags.json) show(output, proposal);
  const blocked = plan.conflicts.length > 0;
  const wanted = !blocked && !flags.dryRun && plan.changes.length > 0 && (flags.yes || (await confirmed(context, flags)));
  if (wanted) apply(context.world.cwd, plan.changes);
  if (flags.json) output.result(report(proposal, wanted), "");
  else conclude(output, proposal, wanted);
  if (blocked) return EXIT.failed;
  return wanted || flags.dryRun || plan.changes.length === 0 ? EXIT.ok : EXIT.failed;
}

function show(output: Output, { plan, headline }: Proposal): void {
  output.note(headline);
  const diff = plan.changes.map(unifiedDiff).join("");
  if (diff)
    output.result(
      null,
      diff
        .replace(/\n$/, "")
        .split("\n")
        .map((line) => painted(output, line))
        .join("\n"),
    );
  for (const remark of plan.remarks) output.note(`${output.paint("yellow", "note")}  ${remarkText(remark)}`);
}

function painted(output: Output, line: string): string {
  if (/^(?:---|\+\+\+) /.test(line)) return output.paint("bold", line);
  const style = line.startsWith("+") ? "green" : line.startsWith("-") ? "red" : line.startsWith("@@") ? "cyan" : undefined;
  return style ? output.paint(style, line) : line;
}

/** `path:line: message`, as editors and terminals link it. */
export function remarkText({ path, line, message }: Remark): string {
  return path ? `${path}:${line ? `${line}:` : ""} ${message}` : message;
}

async function confirmed({ world }: Context, flags: ProposeFlags): Promise<boolean> {
  const answer = flags.json ? undefined : await world.ask("Write this? [y/N] ");
  if (answer !== undefined) return /^y(?:es)?$/i.test(answer.trim());
  throw new CommandError(
    "USAGE",
    "Nobody can be asked here, so nothing was written.",
    "Give --yes to apply it, or --dry-run to look.",
  );
}

function apply(directory: string, changes: Change[]): void {
  const now = (path: string) => (existsSync(path) ? readFileSync(path, "utf8") : null);
  const moved = changes.find(({ path, before }) => now(join(directory, path)) !== before);
  if (moved)
    throw new CommandError("FAILED", `${moved.path} was changed meanwhile, so nothing was written.`, "Run the command again.");
  for (const { path, after } of changes) {
    const file = join(directory, path);
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, after);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CommandError(
        "FAILED",
        `${path} could not be written: ${why}.`,
        "What was written before it stands; git shows it.",
      );
    }
  }
}

function report({ plan, facts, next }: Proposal, applied: boolean): object {
  const changes = plan.changes.map((change) => ({
    path: change.path,
    action: change.before === null ? "create" : "change",
    diff: unifiedDiff(change),
  }));
  return { ...facts, changes, conflicts: plan.conflicts, remarks: plan.remarks, applied, next };
}

function conclude(output: Output, { plan, next }: Proposal, applied: boolean): void {
  const { changes, conflicts } = plan;
  if (conflicts.length) {
    output.note(
      output.paint("red", "Nothing was written: these files are there already, and differ from what would be written."),
    );
    for (const path of conflicts) output.note(`  ${path}`);
  } else if (changes.length === 0) output.note("Nothing to do.");
  else if (!applied) output.note("Nothing was written.");
  else
    output.note(
      [`${changes.length} ${changes.length === 1 ? "file" : "files"} written. Next:`, ...next.map((step) => `  ${step}`)].join(
        "\n",
      ),
    );
}
