/**
 * How many columns text takes in a terminal: East Asian wide characters and emoji take two, combining marks none.
 * Kept to the large blocks; a rare character measured wrongly moves one cell of a table and nothing else.
 * Source: https://www.unicode.org/reports/tr11/
 */

/** First and last code point of the blocks shown two columns wide. */
const WIDE_BLOCKS: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f], // Hangul Jamo
  [0x2e80, 0x303e], // CJK radicals and punctuation
  [0x3041, 0xa4cf], // Kana, CJK, Yi
  [0xa960, 0xa97c], // Hangul Jamo Extended-A
  [0xac00, 0xd7a3], // Hangul syllables
  [0xf900, 0xfaff], // CJK compatibility ideographs
  [0xfe30, 0xfe6f], // CJK compatibility forms
  [0xff00, 0xff60], // Full-width forms
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f], // Pictographs and emoji
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1faff],
  [0x20000, 0x3fffd], // CJK extensions
];

/** Columns `text` takes; it must hold no control characters (`printable` in `format.ts`). */
export function widthOf(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += widthOfCharacter(character);
  return columns;
}

/** The longest start of `text` within `columns`, ending in `…` when something was left out. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let fitting = "";
  let used = 1; // the ellipsis
  for (const character of text) {
    used += widthOfCharacter(character);
    if (used > columns) break;
    fitting += character;
  }
  return columns > 0 ? `${fitting}…` : "";
}

function widthOfCharacter(character: string): number {
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(character)) return 0;
  const code = character.codePointAt(0) ?? 0;
  return WIDE_BLOCKS.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}
