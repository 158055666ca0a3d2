// Room: platform. Real chance, drawn from the system in blocks: a few bytes cost well under a microsecond instead of a system call.
// Called by the World (random) and by ids.ts. Promises: no byte is given out twice.
import { randomBytes, randomFillSync } from "node:crypto";

const BLOCK_BYTES = 8_192;
/** More at once comes straight from the system. */
const MOST_BYTES = 64;

/**
 * A source of unpredictable bytes.
 *
 * @returns a function that answers as many bytes as it is asked for; what it answers is never written to again
 * @example const random = chanceSource(); random(16) // Uint8Array(16) […]
 */
export function chanceSource(): (bytes: number) => Uint8Array {
  let block = new Uint8Array(0);
  let next = 0;
  return (bytes) => {
    if (bytes > MOST_BYTES) return randomBytes(bytes);
    if (next + bytes > block.length) {
      block = randomFillSync(new Uint8Array(BLOCK_BYTES));
      next = 0;
    }
    next += bytes;
    return block.subarray(next - bytes, next);
  };
}
