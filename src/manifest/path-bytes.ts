/** The rules of `paths.ts` for names and paths, asked of bytes in a buffer: a thousand of them make no string. */
import { NAME_MAX_BYTES } from "../paths.js";

const SLASH = 0x2f;
const DOT = 0x2e;

/** Whether `[start, end)` is what `checkPath` takes; the empty path is the root. */
export function isPath(bytes: Buffer, start: number, end: number): boolean {
  if (start === end) return true;
  let nameStart = start;
  for (let at = start; at < end; at++) {
    if (bytes[at] !== SLASH) continue;
    if (!isName(bytes, nameStart, at)) return false;
    nameStart = at + 1;
  }
  return isName(bytes, nameStart, end);
}

/** Whether `[start, end)` is what `checkName` takes. */
export function isName(bytes: Buffer, start: number, end: number): boolean {
  const length = end - start;
  if (length === 0 || length > NAME_MAX_BYTES) return false;
  for (let at = start; at < end; at++) if (bytes[at] === 0 || bytes[at] === SLASH) return false;
  if (bytes[start] !== DOT) return true;
  return length > 2 || (length === 2 && bytes[start + 1] !== DOT);
}
