/** Who may ask: whoever has a token, which is given for a subject token, as in workload identity federation (RFC 8693). */
import { randomUUID } from "node:crypto";

import type { Reply } from "../object-server/reply.js";
import { receiveAll } from "./body.js";
import { GcsError } from "./error.js";
import { type GcsRequest, headerOf } from "./request.js";

export class Tokens {
  readonly #given = new Set<string>();

  /** @param subject The only one that is given tokens. */
  constructor(readonly subject: string) {}

  async give(request: GcsRequest): Promise<Reply> {
    const form = new URLSearchParams((await receiveAll(request, () => undefined)).toString());
    if (form.get("subject_token") !== this.subject) return json(400, { error: "invalid_grant" });
    const token = `given-${randomUUID()}`;
    this.#given.add(token);
    const kind = { issued_token_type: "urn:ietf:params:oauth:token-type:access_token", token_type: "Bearer" };
    return json(200, { access_token: token, expires_in: 3600, ...kind });
  }

  /** @throws {GcsError} authError for a wrong token; required for none */
  check(request: GcsRequest, isPublic: boolean): void {
    const header = headerOf(request, "authorization");
    if (header === undefined && isPublic) return;
    if (header === undefined) throw new GcsError(401, "required", "Anonymous caller does not have access.");
    if (!this.#given.has(header.replace(/^Bearer /, "")))
      throw new GcsError(401, "authError", "Invalid Credentials");
  }
}

function json(status: number, value: object): Reply {
  return {
    status,
    headers: { "content-type": "application/json" },
    body: Buffer.from(JSON.stringify(value)),
  };
}
