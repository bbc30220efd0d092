/** What an enemy makes of real bytes: flipped bits, edges in number fields, cuts, splices; and of JSON other values in any place. */
import fc from "fast-check";

/** Numbers at the edges of what fields and doubles hold. */
const EDGES = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffn,
  0x7fffn,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xfffffffen,
  0xffffffffn,
  2n ** 32n,
  2n ** 48n - 1n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
];

type Step = (bytes: Buffer, others: readonly Uint8Array[]) => Buffer;

/** A place told by a fraction, so that it is one whatever the length. */
const place = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

const flip: fc.Arbitrary<Step> = fc.tuple(place, fc.nat(7)).map(([at, bit]) => (bytes) => {
  if (bytes.length > 0) bytes[Math.floor(at * bytes.length)]! ^= 1 << bit;
  return bytes;
});
const edge: fc.Arbitrary<Step> = fc
  .tuple(place, fc.constantFrom(1, 2, 4, 6, 8), fc.constantFrom(...EDGES), fc.boolean(), fc.boolean())
  .map(([at, width, value, isAligned, isEarly]) => (bytes) => {
    const reach = isEarly ? Math.min(bytes.length, 200) : bytes.length; // Headers are short, and rule the rest.
    let start = Math.floor(at * reach);
    if (isAligned) start -= start % 4;
    for (let i = 0; i < width && start + i < bytes.length; i++)
      bytes[start + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    return bytes;
  });
const cut: fc.Arbitrary<Step> = place.map(
  (at) => (bytes) => bytes.subarray(0, Math.floor(at * bytes.length)),
);
const drop: fc.Arbitrary<Step> = fc.tuple(place, fc.nat(64)).map(([at, count]) => (bytes) => {
  const start = Math.floor(at * bytes.length);
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + count)]);
});
const repeat: fc.Arbitrary<Step> = fc
  .tuple(place, fc.nat(64), fc.nat(20))
  .map(([at, count, times]) => (bytes) => {
    const start = Math.floor(at * bytes.length);
    const run = bytes.subarray(start, start + count);
    return Buffer.concat([
      bytes.subarray(0, start),
      ...Array<Buffer>(times).fill(run),
      bytes.subarray(start),
    ]);
  });
const splice: fc.Arbitrary<Step> = fc
  .tuple(place, place, place)
  .map(([at, from, which]) => (bytes, others) => {
    const other = others[Math.floor(which * others.length)] ?? bytes;
    return Buffer.concat([
      bytes.subarray(0, Math.floor(at * bytes.length)),
      other.subarray(Math.floor(from * other.length)),
    ]);
  });
const insert: fc.Arbitrary<Step> = fc
  .tuple(place, fc.uint8Array({ maxLength: 40 }))
  .map(([at, more]) => (bytes) => {
    const start = Math.floor(at * bytes.length);
    return Buffer.concat([bytes.subarray(0, start), more, bytes.subarray(start)]);
  });

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: edge },
    { weight: 3, arbitrary: flip },
    { weight: 1, arbitrary: cut },
    { weight: 1, arbitrary: drop },
    { weight: 1, arbitrary: repeat },
    { weight: 1, arbitrary: splice },
    { weight: 1, arbitrary: insert },
  ),
  { minLength: 1, maxLength: 4 },
);

/** One of the samples, mutated; now and then nothing but noise. */
export function mutated(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const real = fc.tuple(fc.constantFrom(...samples), steps).map(([sample, all]) => {
    let bytes: Buffer = Buffer.from(sample);
    for (const step of all) bytes = step(bytes, samples);
    return bytes;
  });
  return fc.oneof(
    { weight: 19, arbitrary: real },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  );
}

const NESTED = "[".repeat(100_000) + "]".repeat(100_000);

/** Values that JSON can say and nobody expects, as text. */
const odd: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...[
      "null",
      "true",
      "-1",
      "-0",
      "0.5",
      "1e308",
      "1e999",
      "-9007199254740993",
      "9007199254740993",
      "8640000000000001",
    ],
    ...[
      '""',
      '"\\u0000"',
      '"../../etc/passwd"',
      '"/etc/passwd"',
      '"\\ud800"',
      '"__proto__"',
      '"1.0.0"',
      '"packs/x"',
    ],
    ...["[]", "{}", '{"__proto__":{"x":1}}', '{"constructor":null}', NESTED, `"${"x".repeat(1_000_000)}"`],
    JSON.stringify("f".repeat(64)),
    JSON.stringify("0".repeat(32)),
  ),
  fc.json({ maxDepth: 3 }),
);

/** A text of JSON in which one to three values are others, or gone, or there under another name. */
export function mutatedJson(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    at: place,
    value: odd,
    how: fc.constantFrom("set", "set", "set", "drop", "rename"),
  });
  const structural = fc
    .tuple(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([sample, changes]) => {
      const json: unknown = JSON.parse(Buffer.from(sample).toString());
      const marks: string[] = [];
      for (const { at, value, how } of changes) changeOne(json, at, how, `@@${marks.push(value) - 1}@@`);
      const text = JSON.stringify(json).replace(
        /"@@(\d+)@@"/g,
        (_, number: string) => marks[Number(number)]!,
      );
      return Buffer.from(text);
    });
  return fc.oneof({ weight: 3, arbitrary: structural }, { weight: 1, arbitrary: mutated(samples) });
}

function changeOne(json: unknown, at: number, how: "set" | "drop" | "rename", mark: string): void {
  const places = placesIn(json);
  const found = places[Math.floor(at * places.length)];
  if (!found) return;
  const { holder, name } = found;
  const held = holder[name];
  if (how !== "set") Reflect.deleteProperty(holder, name);
  if (how === "rename") holder[`${name}x`] = held;
  if (how === "set") holder[name] = mark;
}

interface Holder {
  holder: Record<string, unknown>;
  name: string;
}

function placesIn(json: unknown): Holder[] {
  if (typeof json !== "object" || json === null) return [];
  const holder = json as Record<string, unknown>;
  return Object.keys(holder).flatMap((name) => [{ holder, name }, ...placesIn(holder[name])]);
}
