// Tests: the services the programs call, at VENDOR_URL, as one function. Copied beside them.

/** Posts to a service, and reads what it answers. */
export async function vendor<T = { ok: boolean }>(path: string, body: unknown): Promise<T> {
  const answer = await fetch(`${process.env.VENDOR_URL}/${path}`, { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return (await answer.json()) as T;
}
