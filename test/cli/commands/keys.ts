/** The fields of an answer, in order: shapes are promised, values are not. */
export function keysOf(answer: unknown): string[] {
  return Object.keys(answer as object).sort();
}
