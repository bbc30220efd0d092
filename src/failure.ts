/** Errors as data, for the way between threads and processes. */
import { DatasetError, type FailureCode, type Failures, isDatasetError, messageOf } from "./errors.js";

/** An error as data: a structured clone keeps of one little more than its message. */
export interface Failure {
  message: string;
  code: FailureCode | undefined;
  data: unknown;
}

export function failureOf(error: unknown): Failure {
  const known = isDatasetError(error) ? error : undefined;
  return { message: messageOf(error), code: known?.code, data: known?.data };
}

/** The error a failure was made of. */
export function errorOf({ message, code, data }: Failure): Error {
  return code === undefined
    ? new Error(message)
    : new DatasetError(code, data as Failures[FailureCode], message);
}
