// Room: store. Part of the interface: credentials of integrations that the server keeps, how they are got by OAuth, and the runs that wait for them.
// Texts named *Sealed are sealed by platform/secrets; nothing here opens them. Few writes a row: one when somebody connects, two when tokens are refreshed.

/** Whose: an integration's in one environment, for one account of the app's users, or (null) the developer's own. */
export interface ConnectionOwner {
  environmentId: string;
  integrationId: string;
  accountId: string | null;
}

/** How an integration of an environment is connected: the app that is registered with its provider. */
export interface OAuthClientRow {
  environmentId: string;
  integrationId: string;
  /** A name of connections/providers.ts. */
  provider: string;
  clientId: string;
  secretSealed: string | null;
  scopes: string[];
  /** Where the provider is, if not where it is for everybody. */
  authorizeUrl: string | null;
  tokenUrl: string | null;
  /** Where it ends tokens, if not where it does for everybody. */
  revokeUrl: string | null;
  /** What its answers call it (RFC 9207), if not what everybody's do. */
  issuer: string | null;
  createdAt: number;
  updatedAt: number;
}

/** The row stays when it is disconnected, so that its generations go on. */
export interface ConnectionRow extends ConnectionOwner {
  id: string;
  /** connected: its tokens can be used. broken: the provider takes them no more. none: somebody disconnected it. */
  status: "connected" | "broken" | "none";
  /** Null where somebody handed a token in. */
  provider: string | null;
  /** Null unless it is connected. */
  tokensSealed: string | null;
  scopes: string[];
  /** JSON object of texts that go along with the token. */
  fieldsText: string | null;
  /** Whom the provider knows it as, for people to see. */
  title: string | null;
  expiresAt: number | null;
  /** When its tokens should be refreshed; null: they cannot be, or need not. */
  refreshAt: number | null;
  /** Somebody refreshes its tokens until then. */
  leasedUntil: number;
  /** Grows each time it is connected anew. */
  generation: number;
  /** Grows with every change; writes are conditional on it. */
  revision: number;
  error: string | null;
  /** Tokens that are to be ended at the provider; they stay whatever else becomes of the row. */
  endingSealed: string | null;
  /** When that is tried next. */
  endingAt: number | null;
  /** Why it did not work the last time. */
  endingError: string | null;
  createdAt: number;
  updatedAt: number;
}

/** An authorization somebody began at a provider and has not come back from yet. */
export interface AuthorizationRow extends ConnectionOwner {
  /** SHA-256 of the state the provider hands back. */
  stateHash: string;
  /** What must be known to finish it, as JSON. */
  sealed: string;
  expiresAt: number;
}

export interface ConnectionStore {
  client(environmentId: string, integrationId: string): Promise<OAuthClientRow | null>;
  clients(environmentId: string): Promise<OAuthClientRow[]>;
  /** Inserts, or replaces; the time of the first stays. */
  saveClient(row: OAuthClientRow): Promise<void>;
  dropClient(environmentId: string, integrationId: string): Promise<void>;

  get(owner: ConnectionOwner): Promise<ConnectionRow | null>;
  byId(environmentId: string, id: string): Promise<ConnectionRow | null>;
  /** By integration, then account; `after`: the last one seen. */
  list(environmentId: string, page: { after: ConnectionOwner | null; limit: number }): Promise<ConnectionRow[]>;
  /** Inserts a row (`former` null), or replaces the one that is at `former.revision`. False: it is not, or there is one already. */
  save(row: ConnectionRow, former: Pick<ConnectionRow, "revision"> | null): Promise<boolean>;
  /** Connections in force whose refresh was due by that moment and that nobody refreshes, longest due first. */
  dueForRefresh(now: number, limit: number): Promise<ConnectionRow[]>;
  /** Connections of which tokens were to be ended by that moment, longest due first. */
  dueForEnding(now: number, limit: number): Promise<ConnectionRow[]>;

  /** Repeated it changes nothing. */
  addAuthorization(row: AuthorizationRow): Promise<void>;
  /** Gives it once, and to one. Null: there is none, or a call whose answer got lost has taken it. */
  takeAuthorization(stateHash: string): Promise<AuthorizationRow | null>;
  forgetAuthorizations(before: number): Promise<void>;

  /** A run waits for it. Repeated it changes nothing. */
  addWait(owner: ConnectionOwner, runId: string, at: number): Promise<void>;
  /** Runs that wait for it, by id, behind `after` ("": from the first on). */
  waits(owner: ConnectionOwner, after: string, limit: number): Promise<string[]>;
  dropWaits(owner: ConnectionOwner, runIds: string[]): Promise<void>;
  /** How many runs wait, by what they wait for. */
  waitCounts(environmentId: string): Promise<(ConnectionOwner & { runs: number })[]>;
  /** Connections in force for which runs still wait: who connected them stopped short of waking the runs. */
  unwoken(limit: number): Promise<ConnectionRow[]>;
  forgetWaits(before: number): Promise<void>;
}
