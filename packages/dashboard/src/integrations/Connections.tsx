// Room integrations: who is connected, what is wrong with it, and what waits; connecting anew and disconnecting.
import type { ConnectionInfo, IntegrationInfo } from "@holdfast/protocol";
import { useConnect, useDisconnect, useRefreshConnection } from "../api/actions.ts";
import { goTo } from "../browser/device.ts";
import { useEnv } from "../chrome/environment.tsx";
import { Confirm } from "../parts/Confirm.tsx";
import { Button, When } from "../parts/controls.tsx";
import { plural } from "../parts/format.ts";
import { type Look, Status, Tag } from "../parts/status.tsx";

const LOOK: Record<ConnectionInfo["status"], Look> = {
  connected: { word: "Connected", icon: "check", tone: "ok" },
  broken: { word: "Broken", icon: "alarm", tone: "bad" },
  none: { word: "Not connected", icon: "stop", tone: "mute" },
};

const NOBODY: ConnectionInfo = {
  id: null,
  accountId: null,
  status: "none",
  title: null,
  scopes: [],
  expiresAt: null,
  refreshable: false,
  error: null,
  ending: null,
  waitingRuns: 0,
  updatedAt: null,
};

/** The developer's own comes first, also when there is none. */
export function Connections({ integration }: { integration: IntegrationInfo }) {
  const { connections } = integration;
  const own = connections.find(({ accountId }) => accountId === null) ?? NOBODY;
  const all = [own, ...connections.filter(({ accountId }) => accountId !== null)];
  return (
    <ul className="flex flex-col gap-2">
      {all.map((connection) => (
        <Connection key={connection.accountId ?? ""} integration={integration} connection={connection} />
      ))}
    </ul>
  );
}

interface ConnectionProps {
  integration: IntegrationInfo;
  connection: ConnectionInfo;
}

function Connection({ integration, connection }: ConnectionProps) {
  const { accountId, status, title, waitingRuns, error, ending, scopes, expiresAt } = connection;
  return (
    <li className="rounded-md border border-line p-2.5">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <span className="font-medium [overflow-wrap:anywhere]">{accountId ?? "Your own"}</span>
        <Status look={LOOK[status]} />
        {waitingRuns > 0 && <Tag tone="wait">{plural(waitingRuns, "run")} waiting</Tag>}
        <span className="flex-1" />
        <Acts integration={integration} connection={connection} />
      </div>
      {status === "connected" && (
        <p className="mt-1 text-xs text-soft [overflow-wrap:anywhere]">
          {title !== null && `${title} · `}
          {scopes.length > 0 ? scopes.join(", ") : "no scopes"}
          {expiresAt !== null && (
            <>
              {" "}
              · token until <When at={expiresAt} />
            </>
          )}
        </p>
      )}
      {error !== null && <p className="mt-1 text-xs text-bad [overflow-wrap:anywhere]">{error}</p>}
      {ending !== null && <Ending ending={ending} />}
    </li>
  );
}

/** It is disconnected here, and its tokens are still good at the service. */
function Ending({ ending: { error, nextTryAt } }: { ending: NonNullable<ConnectionInfo["ending"]> }) {
  return (
    <p className="mt-1 text-xs text-bad [overflow-wrap:anywhere]">
      The tokens it had are not ended at the service{error === null ? "." : `: ${error}`}{" "}
      {nextTryAt === null ? (
        "Take the access back there."
      ) : (
        <>
          Next try <When at={nextTryAt} />.
        </>
      )}
    </p>
  );
}

function Acts({ integration, connection }: ConnectionProps) {
  const env = useEnv();
  const connect = useConnect(env, integration.id);
  const disconnect = useDisconnect(env, integration.id);
  const refresh = useRefreshConnection(env, integration.id);
  const { accountId, status, refreshable } = connection;
  const whose = accountId ?? "your own";
  const label = status === "connected" ? "Connect anew" : "Connect";
  const begin = () => connect.mutate(accountId, { onSuccess: ({ url }) => goTo(url) });
  return (
    <span className="flex flex-wrap gap-1.5">
      {refreshable && (
        <Button
          icon="again"
          disabled={refresh.isPending}
          onClick={() => refresh.mutate(accountId)}
          aria-label={`Refresh ${whose}`}
        >
          Refresh
        </Button>
      )}
      {status === "connected" && (
        <Confirm
          label="Disconnect"
          kind="danger"
          title={`Disconnect ${integration.name}?`}
          act="Disconnect"
          disabled={disconnect.isPending}
          onConfirm={() => disconnect.mutate(accountId)}
        >
          Its tokens are forgotten here, and ended at the service if it is known how. Runs that need it wait until somebody
          connects it again.
        </Confirm>
      )}
      <Button
        kind={status === "connected" ? "plain" : "primary"}
        disabled={connect.isPending || integration.app === null}
        title={integration.app === null ? "Set the OAuth app up first." : undefined}
        onClick={begin}
        aria-label={`${label}: ${whose}`}
      >
        {label}
      </Button>
    </span>
  );
}
