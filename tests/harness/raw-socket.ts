// Tests: bytes on a socket, for requests no HTTP client would write.
import { connect } from "node:net";

/** Sends the bytes, and answers everything that came back until the server closed, or after `withinMs` without an end. */
export function sendBytes(url: string, bytes: string | Buffer, withinMs = 15_000): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let answer = "";
    const end = () => {
      clearTimeout(late);
      socket.destroy();
      resolve(answer);
    };
    const late = setTimeout(end, withinMs);
    socket.setEncoding("latin1").on("data", (chunk: string) => {
      answer += chunk;
    });
    socket.on("close", end).on("error", end);
    socket.write(bytes);
  });
}

/** The status of the first answer in what came back; null when there was none. */
export function statusIn(answer: string): number | null {
  const found = /^HTTP\/1\.[01] (\d{3})/.exec(answer);
  return found ? Number(found[1]) : null;
}
