/**
 * Takes the frames of `content-encoding: aws-chunked` off a body: size in hex, CRLF, bytes, CRLF, a chunk of size 0, and
 * then the trailers. Chunks that are signed one by one are not spoken here.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
import { invalid } from "./error.js";

const LINE_MAX_BYTES = 8 * 1024;

export interface Unframed {
  chunks: AsyncIterable<Buffer>;
  /** Lower-case names; complete once `chunks` has ended. */
  trailers: Map<string, string>;
}

export function unframed(framed: AsyncIterable<Buffer>): Unframed {
  const trailers = new Map<string, string>();
  return { chunks: chunksOf(new Lines(framed), trailers), trailers };
}

async function* chunksOf(lines: Lines, trailers: Map<string, string>): AsyncGenerator<Buffer> {
  for (;;) {
    const size = await lines.line();
    if (!/^[0-9a-fA-F]{1,12}$/.test(size))
      throw invalid(`A chunk of size "${size}"`, "InvalidChunkSizeError");
    let left = parseInt(size, 16);
    if (left === 0) break;
    while (left > 0) {
      const bytes = await lines.upTo(left);
      left -= bytes.length;
      yield bytes;
    }
    if ((await lines.line()) !== "")
      throw invalid("A chunk is longer than its size", "InvalidChunkSizeError");
  }
  for (let line = await lines.line(); line !== ""; line = await lines.line()) {
    const [name, value] = line.split(/:(.*)/s) as [string, string | undefined];
    if (value === undefined) throw invalid("A trailer without a value", "MalformedTrailerError");
    trailers.set(name.toLowerCase(), value.trim());
  }
}

/** Reads lines and counted bytes off a stream. */
class Lines {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.#rest.indexOf("\r\n");
      if (end >= 0) {
        const line = this.#rest.toString("latin1", 0, end);
        this.#rest = this.#rest.subarray(end + 2);
        return line;
      }
      if (this.#rest.length > LINE_MAX_BYTES) throw invalid("A line without end", "InvalidChunkSizeError");
      this.#rest = Buffer.concat([this.#rest, await this.#next()]);
    }
  }

  async upTo(maxBytes: number): Promise<Buffer> {
    if (this.#rest.length === 0) this.#rest = await this.#next();
    const bytes = this.#rest.subarray(0, maxBytes);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  async #next(): Promise<Buffer> {
    const next = await this.#source.next();
    if (next.done === true) throw invalid("The body ends inside a chunk", "IncompleteBody");
    return next.value;
  }
}
