/** Whether signatures are asked for at all: the one question that costs those something who ask for none. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "../../home.js";

/** Whether some version may have to be signed. */
export function asksForSignatures(home: Pick<Home, "keysDir" | "verifyKeys">): boolean {
  return home.verifyKeys.length > 0 || existsSync(trustedPath(home));
}

/** The file that says whom the user trusts. */
export function trustedPath({ keysDir }: Pick<Home, "keysDir">): string {
  return join(keysDir, "trusted.json");
}
