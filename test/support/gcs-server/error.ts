/** Failures as the JSON API says them. Source: https://cloud.google.com/storage/docs/json_api/v1/status-codes */
export class GcsError extends Error {
  constructor(
    readonly status: number,
    readonly reason: string,
    message: string = reason,
    /** Further headers of the answer. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }

  get json(): string {
    const { status: code, message, reason } = this;
    return JSON.stringify({ error: { code, message, errors: [{ message, domain: "global", reason }] } });
  }
}

export function invalid(message: string): GcsError {
  return new GcsError(400, "invalid", message);
}

export function notFound(message: string): GcsError {
  return new GcsError(404, "notFound", message);
}
