/** What a user may call a remote. A name is never taken for a URL or a path, nor one of them for a name. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export function isRemoteName(text: string): boolean {
  return NAME.test(text);
}
