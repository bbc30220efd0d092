/** Holds a store to what a listing is: keys in rising order, page after page, that ends. Who lies about it would be listened to forever. */
import { DatasetError } from "../errors.js";
import type { ObjectKey } from "./remote.js";

/** Stores may answer with pages of nothing while they look on, but not for long. */
const EMPTY_PAGES_MAX = 1_000;

export class ListingGuard {
  #last = "";
  #token: string | undefined;
  #emptyPages = 0;
  #isEmpty = true;

  constructor(
    private readonly url: string,
    private readonly prefix: string,
  ) {}

  /** Gives back a key of the store, ours or not. @throws {DatasetError} `remote-failed` for one that comes too late */
  key(key: string): ObjectKey {
    this.#isEmpty = false;
    if (!isAscii(key)) return key; // Stores sort bytes; what is no key of ours may sort otherwise here.
    if (key < this.#last) throw this.#wrong("its keys are not in order");
    this.#last = key;
    return key;
  }

  /** Gives back where the next page begins, if there is one. @throws {DatasetError} `remote-failed` where that leads nowhere */
  page(token: string | undefined): string | undefined {
    this.#emptyPages = this.#isEmpty ? this.#emptyPages + 1 : 0;
    if (token !== undefined && token === this.#token) throw this.#wrong("its next page is the same one");
    if (token !== undefined && this.#emptyPages > EMPTY_PAGES_MAX)
      throw this.#wrong("it does not come to an end");
    this.#token = token;
    this.#isEmpty = true;
    return token;
  }

  #wrong(problem: string): DatasetError<"remote-failed"> {
    const message = `Cannot list "${this.prefix}" in ${this.url}: ${problem}`;
    return new DatasetError("remote-failed", { key: this.prefix }, message);
  }
}

function isAscii(key: string): boolean {
  return /^[\x20-\x7e]*$/.test(key);
}
