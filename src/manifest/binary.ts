/** Little-endian numbers and byte strings, written to a growing buffer and read back with every bound checked. */
import { DatasetError } from "../errors.js";

const TWO_32 = 2 ** 32;

/** A structure that cannot be what it claims to be. */
export function damaged(what: string, problem: string): DatasetError<"format-damaged"> {
  return new DatasetError("format-damaged", { what }, `Cannot read the ${what}: ${problem}`);
}

/** Reads a whole number of 64 bits; one beyond 2^53 comes back inexact, so that `Number.isSafeInteger` refuses it. */
export function readU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);
}

/** As `readU64`, signed. */
export function readI64(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * TWO_32 + view.getUint32(at, true);
}

/** Writes a safe integer, negative or not, in 64 bits. */
export function writeI64(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / TWO_32);
  view.setUint32(at, value - high * TWO_32, true);
  view.setInt32(at + 4, high, true);
}

/** Writes the bytes of `text` from its index `start` at `at`. */
function writeText(target: Uint8Array, at: number, text: string, start: number): void {
  let beyond = 0;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    beyond |= code;
    target[at + i - start] = code;
  }
  if (beyond > 0xff) throw notBytes(text);
}

function notBytes(text: string): DatasetError<"bad-input"> {
  const shown = JSON.stringify(text.slice(0, 300));
  return new DatasetError("bad-input", { value: text }, `Cannot store ${shown}: it is not a byte string`);
}

/** The view of a buffer's own bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A Buffer over the same bytes. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Appends numbers and bytes to a buffer that grows. */
export class ByteWriter {
  #bytes: Buffer;
  #view: DataView;
  #length = 0;

  /** @param expectedBytes Room to start with. */
  constructor(expectedBytes = 1024) {
    this.#bytes = Buffer.alloc(expectedBytes);
    this.#view = viewOf(this.#bytes);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    const at = this.#take(1); // First: it may replace the buffer.
    this.#bytes.writeUInt8(value, at);
  }

  u16(value: number): void {
    const at = this.#take(2); // First: it may replace the buffer.
    this.#bytes.writeUInt16LE(value, at);
  }

  u32(value: number): void {
    const at = this.#take(4); // First: it may replace the buffer.
    this.#bytes.writeUInt32LE(value, at);
  }

  u48(value: number): void {
    const at = this.#take(6); // First: it may replace the buffer.
    this.#bytes.writeUIntLE(value, at, 6);
  }

  u64(value: number): void {
    const at = this.#take(8);
    writeI64(this.#view, at, value);
  }

  /** A byte string from index `start`, without its length. @throws {DatasetError} `bad-input` for other text */
  text(text: string, start = 0): void {
    const at = this.#take(text.length - start);
    writeText(this.#bytes, at, text, start);
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** The bytes `[start, end)` of a buffer; for short runs, quicker than `bytes` of a part of it. */
  copy(source: Uint8Array, start: number, end: number): void {
    const at = this.#take(end - start);
    const target = this.#bytes;
    for (let i = start; i < end; i++) target[at + i - start] = source[i]!;
  }

  /** Bytes given in hex. */
  hex(hex: string): void {
    this.bytes(Buffer.from(hex, "hex"));
  }

  /** Sets the number at `at`, written before, to `value`. */
  patchU32(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at);
  }

  /** What was written so far; not a copy. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #take(byteCount: number): number {
    const at = this.#length;
    this.#length += byteCount;
    if (this.#length > this.#bytes.length) this.#grow();
    return at;
  }

  #grow(): void {
    const larger = Buffer.alloc(Math.max(this.#length, this.#bytes.length * 2));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }
}

/** Reads `[at, end)` of a buffer from front to back; asking for more than there is means that `what` is damaged. */
export class ByteReader {
  constructor(
    readonly what: string,
    readonly buffer: Buffer,
    public at: number,
    readonly end: number,
  ) {}

  u8(): number {
    return this.buffer.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.buffer.readUInt16LE(this.#take(2));
  }

  u32(): number {
    return this.buffer.readUInt32LE(this.#take(4));
  }

  /** A whole number that must be a safe integer. */
  u64(): number {
    const at = this.#take(8);
    const value = this.buffer.readUInt32LE(at + 4) * TWO_32 + this.buffer.readUInt32LE(at);
    if (!Number.isSafeInteger(value)) throw damaged(this.what, "a number is beyond 2^53");
    return value;
  }

  /** A byte string of `length` bytes. */
  text(length: number): string {
    const at = this.#take(length);
    return this.buffer.toString("latin1", at, at + length);
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.buffer.subarray(at, at + length);
  }

  hex(length: number): string {
    const at = this.#take(length);
    return this.buffer.toString("hex", at, at + length);
  }

  #take(length: number): number {
    const at = this.at;
    if (length > this.end - at) throw damaged(this.what, "it ends too early");
    this.at = at + length;
    return at;
  }
}
