// The shape of one catalogue entry: everything Holdfast knows of an API before anyone has connected it.
// Written by the folders beside `src`, read by the server (GET /api/v1/catalogue, the sample sender) and by `holdfast dev`.
// It is plain data: an entry is answered to the dashboard as JSON, as it stands.

/** How the provider signs its requests. The server holds the code of each scheme; an entry only names one. */
export type SignatureScheme = "svix";

export interface SignatureNotes {
  scheme: SignatureScheme;
  /** Header names, lower case, in the order the provider documents them. */
  headers: string[];
  /** What the signature covers, as one line. */
  signs: string;
  /** Where a person finds the signing secret. */
  secret: string;
  /** What usually goes wrong, one sentence each. */
  mistakes: string[];
}

/** An event the provider sends, with a body of its real shape and invented data. */
export interface SampleEvent {
  /** The provider's own name of the event: "user.created". Names are unique in an entry. */
  name: string;
  title: string;
  /** The JSON body of the request. */
  body: { [key: string]: unknown };
}

export interface SampleFile {
  /** File name as it is shown: "clerk.ts". */
  name: string;
  language: "typescript";
  code: string;
}

/** A program that runs as it is shown: its files are the ones the tests run. */
export interface Sample {
  id: string;
  title: string;
  description: string;
  files: SampleFile[];
}

export interface CatalogueManifest {
  /** Folder name and id: "clerk". */
  id: string;
  name: string;
  category: string;
  /** One line, in our own words. */
  summary: string;
  docsUrl: string;
  /** Environment variable an app reads the signing secret from; `holdfast dev` sets it when it is not set. */
  secretEnv: string | null;
  /** Values of an endpoint's `source` this entry fits: ["clerk.com"]. */
  sources: string[];
  signature: SignatureNotes | null;
  events: SampleEvent[];
  samples: Sample[];
}
