/** An expression cut into tokens. Pure; what they mean together is for `expression.ts`. */
import { DatasetError } from "../../errors.js";

export interface Token {
  kind: "word" | "name" | "text" | "number" | "sign" | "end";
  /** Words in lower case; names and texts without their quotes. */
  text: string;
  /** In the expression, from 0. */
  at: number;
}

const EXPRESSION_MAX_CHARS = 10_000;
const WORDS = new Set("and or not in like glob contains is null missing true false between".split(" "));

const TOKEN =
  /\s+|(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w.])|'(?<text>(?:[^']|'')*)'|"(?<doubled>(?:[^"]|"")*)"|`(?<quoted>[^`]+)`|(?<name>[\p{L}_][\p{L}\p{N}_.-]*)|(?<sign><=|>=|!=|<>|==|[=<>(),])/uy;

/** @throws {DatasetError} `bad-input` */
export function tokensOf(expression: string): Token[] {
  if (expression.length > EXPRESSION_MAX_CHARS)
    throw wrongAt(expression, 0, `it is over ${EXPRESSION_MAX_CHARS} characters`);
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (let at = 0; at < expression.length; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(expression)?.groups;
    if (!groups) throw wrongAt(expression, at, `${JSON.stringify(expression[at])} is not understood`);
    const token = tokenOf(groups);
    if (token) tokens.push({ ...token, at });
  }
  return [...tokens, { kind: "end", text: "", at: expression.length }];
}

export function wrongAt(expression: string, at: number, problem: string): DatasetError<"bad-input"> {
  const shown = JSON.stringify(expression.slice(0, 200));
  const message = `Cannot read the expression ${shown}: at character ${at + 1} ${problem}; write, for example, width > 100 and label = 'cat'`;
  return new DatasetError("bad-input", { value: expression }, message);
}

function tokenOf(groups: Record<string, string | undefined>): Omit<Token, "at"> | undefined {
  const { number, text, doubled, quoted, name, sign } = groups;
  if (number !== undefined) return { kind: "number", text: number };
  if (text !== undefined) return { kind: "text", text: text.replaceAll("''", "'") };
  if (doubled !== undefined) return { kind: "text", text: doubled.replaceAll('""', '"') };
  if (quoted !== undefined) return { kind: "name", text: quoted };
  if (sign !== undefined) return { kind: "sign", text: sign };
  if (name === undefined) return undefined;
  return WORDS.has(name.toLowerCase())
    ? { kind: "word", text: name.toLowerCase() }
    : { kind: "name", text: name };
}
