// Room: store. What user code keeps here for itself and for people to read: values by key, and statuses of runs. Part of the store interface.

/** Values by key, one flat space an environment. A call that resolved is on disk; of two that set one key the later counts. */
export interface ValueStore {
  /** Null: no such key. `text`: JSON text, given back byte for byte; null is undefined, which was set all the same. */
  get(environmentId: string, key: string): Promise<{ text: string | null } | null>;
  set(environmentId: string, key: string, value: { text: string | null; at: number }): Promise<void>;
  /** False: there was no such key, or a call whose outcome got lost has deleted it. */
  delete(environmentId: string, key: string): Promise<boolean>;
}

/** A status a run has set. `historyText`: JSON array of what it was before, oldest first. */
export interface StatusRow {
  key: string;
  label: string;
  state: string | null;
  dataText: string | null;
  historyText: string;
}
/** What is left out stays as it was; of a new status the label is its key then. */
export interface StatusChange {
  key: string;
  label?: string | undefined;
  state?: string | undefined;
  dataText?: string | undefined;
}
export interface StatusStore {
  /** Creates or changes it; what it was joins its history. What changes nothing leaves no trace. */
  save(runId: string, change: StatusChange, at: number): Promise<void>;
  /** In the order they were created. */
  of(runId: string): Promise<StatusRow[]>;
}

/** An event that started no run of a job: there were too many, or another event took its place. */
export interface SkipRow {
  eventRowId: string;
  jobId: string;
  environmentId: string;
  at: number;
  reason: "rate-limited" | "debounced";
  /** Rate-limited: when an event would have started one. */
  until: number | null;
  /** Debounced: the event that took its place. */
  byEventRowId: string | null;
}
