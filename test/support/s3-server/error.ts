/** Failures as S3 says them. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
import { xmlDocument } from "./xml.js";

/** Answered as an XML body with this status and code. */
export class S3Error extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string = code,
    /** Further elements of the body. */
    readonly fields: Readonly<Record<string, string>> = {},
    /** Further headers of the answer. */
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }

  get xml(): string {
    return xmlDocument("Error", { Code: this.code, Message: this.message, ...this.fields });
  }
}

export function invalid(message: string, code = "InvalidArgument"): S3Error {
  return new S3Error(400, code, message);
}

export function preconditionFailed(condition: string): S3Error {
  const message = "At least one of the pre-conditions you specified did not hold";
  return new S3Error(412, "PreconditionFailed", message, { Condition: condition });
}

export function noSuchKey(key: string): S3Error {
  return new S3Error(404, "NoSuchKey", "The specified key does not exist.", { Key: key });
}
