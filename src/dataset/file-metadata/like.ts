/** `like`: `%` is any text, `_` any one character, case matters. Never slower than text times pattern. */
export function matchesLike(text: string, pattern: string): boolean {
  let [at, from] = [0, 0];
  /** Where the last `%` stands, and how much of the text it takes so far. */
  let [star, taken] = [-1, 0];
  while (at < text.length) {
    if (from < pattern.length && pattern[from] === "%") [star, taken, from] = [from, at, from + 1];
    else if (from < pattern.length && (pattern[from] === "_" || pattern[from] === text[at]))
      [at, from] = [at + 1, from + 1];
    else if (star >= 0) [taken, at, from] = [taken + 1, taken + 1, star + 1];
    else return false;
  }
  while (pattern[from] === "%") from++;
  return from === pattern.length;
}
