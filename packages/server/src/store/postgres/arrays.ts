// Room: store. Arrays of large values in PostgreSQL's binary form: a body of 10 MB then travels as it is, where the driver's text form would be escaped,
// doubled and parsed. Called by intake.ts.

const OIDS = { bytea: 17, text: 25 } as const;

/** One-dimensional array whose elements may be null (PostgreSQL: array_recv). */
export function binaryArray(type: keyof typeof OIDS, values: readonly (string | Uint8Array | null)[]): Buffer {
  const head = Buffer.alloc(20);
  head.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  head.writeInt32BE(1, 4);
  head.writeInt32BE(OIDS[type], 8);
  head.writeInt32BE(values.length, 12);
  head.writeInt32BE(1, 16);
  if (values.length === 0) return head.subarray(0, 12);
  return Buffer.concat([head, ...values.flatMap(element)]);
}

function element(value: string | Uint8Array | null): Uint8Array[] {
  const length = Buffer.alloc(4);
  if (value === null) {
    length.writeInt32BE(-1);
    return [length];
  }
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  length.writeInt32BE(bytes.length);
  return [length, bytes];
}
