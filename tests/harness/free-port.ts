// Tests: a port for a program that must be told one, as a person's app has its own.
import { type AddressInfo, createServer } from "node:net";

/** Nothing listened on it a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
