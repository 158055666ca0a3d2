// Tests: how much JavaScript heap a server allocates, garbage included: V8's own sampling of allocations, asked for over the inspector's protocol.
// Samples are taken every 16 KiB on average, so a figure of tens of megabytes is good to a few percent, and the same on every machine.
// Facts: Chrome DevTools Protocol, domain HeapProfiler (startSampling, stopSampling, SamplingHeapProfileNode).
import { once } from "node:events";
import { WebSocket } from "ws";
import type { Program } from "./processes.ts";

/** Environment that lets `allocatedBy` reach a server. */
export const INSPECTABLE = { NODE_OPTIONS: "--inspect=127.0.0.1:0" };

interface SampledNode {
  selfSize: number;
  children: SampledNode[];
}

const sizeOf = (node: SampledNode): number => node.children.reduce((sum, child) => sum + sizeOf(child), node.selfSize);

/**
 * Bytes a program allocates while `work` is done.
 *
 * @param program started with `INSPECTABLE`
 * @example const bytes = await allocatedBy(server.program, () => stand.finished(1))
 */
export async function allocatedBy(program: Program, work: () => Promise<unknown>): Promise<number> {
  const [, address = ""] = await program.says(/Debugger listening on (ws:\S+)/);
  const socket = new WebSocket(address, { perMessageDeflate: false, maxPayload: 0 });
  await once(socket, "open");
  try {
    const ofAll = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
    await ask(socket, "HeapProfiler.startSampling", { samplingInterval: 16 * 1024, ...ofAll });
    await work();
    const { profile } = (await ask(socket, "HeapProfiler.stopSampling")) as { profile: { head: SampledNode } };
    return sizeOf(profile.head);
  } finally {
    // Before the program is stopped: at its end it waits for whoever inspects it.
    socket.close();
    await once(socket, "close");
  }
}

// One question at a time, so the next message is the answer.
async function ask(socket: WebSocket, method: string, params: object = {}): Promise<object> {
  socket.send(JSON.stringify({ id: 1, method, params }));
  const [data] = await once(socket, "message");
  const { result, error }: { result?: object; error?: { message: string } } = JSON.parse(String(data));
  if (!result) throw new Error(`${method}: ${error?.message}`);
  return result;
}
