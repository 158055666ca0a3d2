// Room parts: shows an HTTP request: line, headers, body. Called by the run's payload and the delivery page.
import { Code, prettyBody } from "./Code.tsx";
import { Section } from "./layout.tsx";

export interface RequestPayload {
  url: string;
  method: string;
  headers: Record<string, string>;
  rawBody?: string;
}

/** A REQUEST event's payload, when it has the shape; else null. */
export function asRequest(payload: unknown): RequestPayload | null {
  if (typeof payload !== "object" || payload === null) return null;
  const { url, method, headers } = payload as Partial<RequestPayload>;
  return typeof url === "string" && typeof method === "string" && typeof headers === "object" && headers !== null
    ? (payload as RequestPayload)
    : null;
}

export function RequestLine({ method, url }: { method: string; url: string }) {
  return (
    <p className="mono flex gap-2 rounded-md border border-line bg-raised px-2.5 py-1.5">
      <strong>{method}</strong>
      <span className="[overflow-wrap:anywhere]">{url}</span>
    </p>
  );
}

export function Headers({ headers }: { headers: readonly (readonly [string, string])[] }) {
  if (headers.length === 0) return <p className="text-faint">No headers.</p>;
  return (
    <table className="w-full table-fixed border-collapse text-left text-xs">
      <thead className="sr-only">
        <tr>
          <th>Header</th>
          <th>Value</th>
        </tr>
      </thead>
      <tbody>
        {headers.map(([name, value], at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a header may come twice, and its place is its identity.
          <tr key={at} className="border-b border-line align-top">
            <th scope="row" className="mono w-2/5 py-1 pr-3 font-medium text-soft [overflow-wrap:anywhere]">
              {name}
            </th>
            <td className="mono py-1 [overflow-wrap:anywhere]">{value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function RequestView({ request }: { request: RequestPayload }) {
  const body = prettyBody(request.rawBody ?? "");
  const headers = Object.entries(request.headers);
  return (
    <div className="flex flex-col gap-3">
      <RequestLine method={request.method} url={request.url} />
      {body.text === "" ? (
        <p className="text-faint">The request has no body.</p>
      ) : (
        <Code text={body.text} language={body.language} label="request body" wrap />
      )}
      <details>
        <summary className="w-fit text-soft">Headers ({headers.length})</summary>
        <Section title="Headers" className="mt-1">
          <Headers headers={headers} />
        </Section>
      </details>
    </div>
  );
}
