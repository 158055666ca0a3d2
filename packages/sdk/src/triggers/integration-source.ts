// Room: triggers. What external sources and webhook sources have in common: whose they are. Extended by external-source.ts and webhook-source.ts.
import type { TriggerIntegration } from "../io/io.ts";

interface Described<TIntegration extends TriggerIntegration> {
  id: string;
  version: string;
  integration: TIntegration;
}

export abstract class IntegrationSource<TIntegration extends TriggerIntegration> {
  readonly id: string;
  /** Of its register job. */
  readonly version: string;
  readonly integration: TIntegration;

  constructor({ id, version, integration }: Described<TIntegration>) {
    this.id = id;
    this.version = version;
    this.integration = integration;
  }

  get integrationConfig(): Pick<TriggerIntegration, "id" | "metadata"> {
    return { id: this.integration.id, metadata: this.integration.metadata };
  }
}
