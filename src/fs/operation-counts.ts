/**
 * How many operations the kernel has asked for, and how long they took: numbers in memory that the worker writes and the
 * main thread reads whenever it is asked, so that counting costs the worker a few additions and no message.
 *
 * An operation that is answered at once is timed one time in eight, and then counts as eight: asking for the time twice costs as
 * much as a hundredth of the operation. One that had to wait is timed always.
 */
const OPCODES = 64;
/** Upper bounds of the durations that are told apart, in milliseconds; the last bucket has none. */
export const DURATION_BOUNDS_MS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000,
  30_000, 60_000,
] as const;

/** Where the numbers of one opcode lie, counted from its first. */
const At = { count: 0, failed: 1, sumMs: 2, buckets: 3 } as const;
const STRIDE = At.buckets + DURATION_BOUNDS_MS.length + 1;
/** After those of all opcodes. */
const READ_BYTES = OPCODES * STRIDE;
const WRITTEN_BYTES = READ_BYTES + 1;
const WAITING = READ_BYTES + 2;
const NUMBERS = READ_BYTES + 3;

const TIMED_ONE_IN = 8;

/** What is known of one kind of operation. */
export interface OperationFigures {
  opcode: number;
  count: number;
  /** Of these, ended by an errno. */
  failed: number;
  /** Durations told apart by `DURATION_BOUNDS_MS`; their sum is about `count`. */
  buckets: number[];
  sumMs: number;
}

export interface FileSystemFigures {
  operations: OperationFigures[];
  /** Bytes of answers to READ, and of WRITE. What the kernel had or read by itself is not among them. */
  readBytes: number;
  writtenBytes: number;
  /** Requests put aside until something has come. */
  waiting: number;
}

/** Of one mount. Written by one thread, read by any: a number of 64 bits is written in one piece. */
export class OperationCounts {
  readonly #numbers: Float64Array;
  #sinceTimed = 0;

  constructor(readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(NUMBERS * 8)) {
    this.#numbers = new Float64Array(buffer);
  }

  /** An operation begins; gives when, by `performance.now()`, where it is to be timed, else 0. */
  begin(opcode: number): number {
    if (opcode < OPCODES) this.#numbers[opcode * STRIDE + At.count]!++;
    if (++this.#sinceTimed < TIMED_ONE_IN) return 0;
    this.#sinceTimed = 0;
    return performance.now();
  }

  /** It was answered at once. @param startMs What `begin` gave. */
  end(opcode: number, startMs: number): void {
    if (startMs !== 0) this.#took(opcode, performance.now() - startMs, TIMED_ONE_IN);
  }

  /** It was answered after it had waited for something. */
  endWaiting(opcode: number, startMs: number): void {
    this.#took(opcode, performance.now() - startMs, 1);
  }

  failed(opcode: number): void {
    if (opcode < OPCODES) this.#numbers[opcode * STRIDE + At.failed]!++;
  }

  read(bytes: number): void {
    this.#numbers[READ_BYTES]! += bytes;
  }

  wrote(bytes: number): void {
    this.#numbers[WRITTEN_BYTES]! += bytes;
  }

  waiting(count: number): void {
    this.#numbers[WAITING] = count;
  }

  figures(): FileSystemFigures {
    const numbers = this.#numbers;
    const operations = Array.from({ length: OPCODES }, (_, opcode) => this.#operation(opcode));
    return {
      operations: operations.filter(({ count }) => count > 0),
      readBytes: numbers[READ_BYTES]!,
      writtenBytes: numbers[WRITTEN_BYTES]!,
      waiting: numbers[WAITING]!,
    };
  }

  #operation(opcode: number): OperationFigures {
    const first = opcode * STRIDE;
    const [count, failed, sumMs] = this.#numbers.subarray(first, first + At.buckets);
    const buckets = [...this.#numbers.subarray(first + At.buckets, first + STRIDE)];
    return { opcode, count: count!, failed: failed!, buckets, sumMs: sumMs! };
  }

  #took(opcode: number, ms: number, weight: number): void {
    if (opcode >= OPCODES) return;
    const first = opcode * STRIDE;
    let bucket = 0;
    while (bucket < DURATION_BOUNDS_MS.length && ms > DURATION_BOUNDS_MS[bucket]!) bucket++;
    this.#numbers[first + At.buckets + bucket]! += weight;
    this.#numbers[first + At.sumMs]! += ms * weight;
  }
}
