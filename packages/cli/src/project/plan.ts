// Room: project. What a command would do to a project: files to make and to change, what stands in the way, and what a person must know. Built by
// init and migrate from a view of the project; shown and applied by propose.ts. Promise: building a plan touches nothing.
import type { Project } from "./project.ts";

export interface Change {
  path: string;
  /** What the file holds now; null: there is none. */
  before: string | null;
  after: string;
}

/** Something that does not carry over, or is left to a person. `line` counts from 1. */
export interface Remark {
  path?: string;
  line?: number;
  message: string;
}

export interface Plan {
  changes: Change[];
  /** Files that would have to be overwritten: as long as there is one, nothing is applied. */
  conflicts: string[];
  remarks: Remark[];
}

/** Collects a plan. Later edits see what earlier ones left. */
export class Draft {
  readonly #after = new Map<string, string>();
  readonly #conflicts: string[] = [];
  readonly #remarks: Remark[] = [];

  constructor(private readonly project: Project) {}

  /** A file as it would be. */
  read(path: string): string | undefined {
    return this.#after.get(path) ?? this.project.read(path);
  }

  /** A file of ours: one that is there already must hold just this. */
  create(path: string, text: string): void {
    const there = this.read(path);
    if (there === undefined && !this.#isUnread(path)) this.#after.set(path, text);
    else if (there !== text) this.#conflicts.push(path);
  }

  /** Changes a file of theirs; one that is not there begins empty. */
  edit(path: string, change: (text: string) => string): void {
    if (this.#isUnread(path)) this.#conflicts.push(path);
    else this.#after.set(path, change(this.read(path) ?? ""));
  }

  /** There, but no text. */
  #isUnread(path: string): boolean {
    return this.project.read(path) === undefined && this.project.paths.includes(path);
  }

  remark(remark: Remark): void {
    this.#remarks.push(remark);
  }

  get plan(): Plan {
    const changes = [...this.#after]
      .map(([path, after]) => ({ path, before: this.project.read(path) ?? null, after }))
      .filter(({ before, after }) => before !== after)
      .sort((one, other) => (one.path < other.path ? -1 : 1));
    return { changes, conflicts: this.#conflicts, remarks: this.#remarks };
  }
}
