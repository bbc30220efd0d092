/** What a user may call a remote. A name is never taken for a URL or a path, nor one of them for a name. */
import { isAbsolute } from "node:path";

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function isRemoteName(text: string): boolean {
  return NAME.test(text);
}

/** Whether a text is a URL or an absolute path, and so the place of a remote. */
export function isRemotePlace(text: string): boolean {
  return isAbsolute(text) || /^[a-z][a-z0-9+.-]*:\/\//i.test(text);
}
