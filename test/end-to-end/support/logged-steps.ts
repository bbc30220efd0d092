/**
 * A writer's steps, one system call that changes something each: made in a folder, and told as what they leave there.
 * Files stay open across steps, bytes lie in the kernel's cache, a file of the version is written over in place.
 */
import * as fs from "node:fs";
import { join } from "node:path";

/** When a step was begun and when it had returned, in ns of the machine's monotonic clock. */
export interface Timed {
  begin: number;
  end: number;
}

/** Path to content; a folder is told as `null`. */
export type State = Map<string, Buffer | null>;

/** In the version: larger than what a snapshot copies whole. */
export const BASE = { name: "base.bin", bytes: 600_000 };

const STEPS = 8;
const HALF_BYTES = 3_000;
/** Where step `number` writes into the file of the version. */
const placeOf = (number: number): number => (number * 40_009) % (BASE.bytes - 8);
const lineOf = (number: number): string => `step ${number}\n`;
const halfOf = (number: number): Buffer => Buffer.alloc(HALF_BYTES, `${number} `);
const markOf = (number: number): Buffer => Buffer.from(String(number).padStart(8, "0"));

/** Makes the steps of one writer in a folder that holds `base.bin`. */
export class Writer {
  readonly #base: number;
  #journal = -1;
  #file = -1;

  constructor(private readonly folder: string) {
    this.#base = fs.openSync(this.#at(BASE.name), "r+");
  }

  step(number: number): void {
    const round = Math.floor(number / STEPS);
    if (number === 0) this.#journal = fs.openSync(this.#at("journal"), "ax");
    else if (number % STEPS === 0) fs.writeSync(this.#journal, lineOf(number));
    else if (number % STEPS === 1) this.#file = fs.openSync(this.#at(`new${round}`), "wx");
    else if (number % STEPS === 2) fs.writeSync(this.#file, halfOf(number));
    else if (number % STEPS === 3) fs.mkdirSync(this.#at(`folder${round}`));
    else if (number % STEPS === 4) fs.writeSync(this.#base, markOf(number), 0, 8, placeOf(number));
    else if (number % STEPS === 5) this.#finishFile(number);
    else if (number % STEPS === 6) fs.renameSync(this.#at(`new${round}`), this.#at("current"));
    else fs.renameSync(this.#at(`folder${round}`), this.#at("folder"));
  }

  /** Closing changes nothing that a version holds. */
  #finishFile(number: number): void {
    fs.writeSync(this.#file, halfOf(number));
    fs.closeSync(this.#file);
  }

  #at(name: string): string {
    return join(this.folder, name);
  }
}

/** Changes a state, that of the folder before, as step `number` does. */
export function take(state: State, number: number): void {
  const round = Math.floor(number / STEPS);
  const append = (name: string, more: Buffer) =>
    state.set(name, Buffer.concat([state.get(name) ?? Buffer.alloc(0), more]));
  if (number === 0) state.set("journal", Buffer.alloc(0));
  else if (number % STEPS === 0) append("journal", Buffer.from(lineOf(number)));
  else if (number % STEPS === 1) state.set(`new${round}`, Buffer.alloc(0));
  else if (number % STEPS === 2 || number % STEPS === 5) append(`new${round}`, halfOf(number));
  else if (number % STEPS === 3) state.set(`folder${round}`, null);
  else if (number % STEPS === 4) state.get(BASE.name)!.set(markOf(number), placeOf(number));
  else if (number % STEPS === 6) rename(state, `new${round}`, "current");
  else rename(state, `folder${round}`, "folder");
}

export function sameState(a: State, b: State): boolean {
  if (a.size !== b.size) return false;
  for (const [path, content] of a) {
    const other = b.get(path);
    if (other === undefined || (content === null) !== (other === null)) return false;
    if (content && other && !content.equals(other)) return false;
  }
  return true;
}

function rename(state: State, from: string, to: string): void {
  state.set(to, state.get(from)!);
  state.delete(from);
}
