/** `file:` URLs of paths whose bytes need not be text. */
import { DatasetError } from "../../errors.js";

/** Bytes that stand in a URL's path as they are: https://www.rfc-editor.org/rfc/rfc3986#section-3.3 */
const PLAIN = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]/g;

/** The URL of an absolute path, a byte string. */
export function fileUrlOf(path: string): string {
  const escaped = path.replace(
    PLAIN,
    (byte) => `%${byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
  return `file://${escaped}`;
}

/** The path in a `file:` URL, a byte string. @throws {DatasetError} `bad-input` */
export function bytesOfFileUrl(url: string): string {
  const path = url.replace(/^file:\/\//, "");
  if (/%2f|%00/i.test(path)) throw bad(url, "its path has an encoded slash or NUL");
  const bytes = Buffer.from(path, "utf8")
    .toString("latin1")
    .replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  if (!bytes.startsWith("/")) throw bad(url, "its path is not absolute");
  return bytes;
}

function bad(url: string, problem: string): DatasetError<"bad-input"> {
  return new DatasetError("bad-input", { value: url }, `Cannot use "${url}": ${problem}`);
}
