/** Emphasis in a terminal, and none anywhere else. */

type Emphasis = (text: string) => string;

/** How words are set apart. Every function gives its text unchanged where there are no colours. */
export interface Style {
  bold: Emphasis;
  dim: Emphasis;
  red: Emphasis;
  green: Emphasis;
  yellow: Emphasis;
}

const plain: Emphasis = (text) => text;

export const PLAIN: Style = { bold: plain, dim: plain, red: plain, green: plain, yellow: plain };

/** SGR codes, ECMA-48 8.3.117: what switches each on, and off again. */
const COLOURED: Style = {
  bold: between(1, 22),
  dim: between(2, 22),
  red: between(31, 39),
  green: between(32, 39),
  yellow: between(33, 39),
};

/**
 * The style for what is written to `stream`: plain unless it is a terminal, or when `NO_COLOR` is set or `TERM` is `dumb`.
 * Source: https://no-color.org
 */
export function styleOf(
  stream: { isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Style {
  return stream.isTTY && !env["NO_COLOR"] && env["TERM"] !== "dumb" ? COLOURED : PLAIN;
}

function between(on: number, off: number): Emphasis {
  return (text) => `\u001b[${on}m${text}\u001b[${off}m`;
}
