/**
 * Expressions that choose files: `width > 100 and label = 'cat'`. Parsed into a function over a file's path and fields, so
 * nothing of it reaches a database. A comparison with a field that a file has not is false, also `!=`; so is one of values
 * of different kinds, but for `!=`. `docs/metadata.md` has the language.
 */
import picomatch from "picomatch";
import { type TreePath, textOf } from "../../paths.js";
import type { Json } from "../metadata-value.js";
import type { FileFields } from "./fields.js";
import { matchesLike } from "./like.js";
import { type Token, tokensOf, wrongAt } from "./tokens.js";

/** Whether a file is meant. */
export type Predicate = (path: TreePath, fields: FileFields) => boolean;

type Value = Json | undefined;
type Operand = (path: TreePath, fields: FileFields) => Value;

const DEPTH_MAX = 100;

/** @throws {DatasetError} `bad-input`, saying where and why */
export function parseExpression(expression: string): Predicate {
  return new Parser(expression).parse();
}

class Parser {
  readonly #tokens: Token[];
  #at = 0;
  #depth = 0;

  constructor(private readonly expression: string) {
    this.#tokens = tokensOf(expression);
  }

  parse(): Predicate {
    const predicate = this.#any();
    if (this.#next.kind !== "end") throw this.#wrong("ends too late: and, or, or nothing is expected");
    return predicate;
  }

  #any(): Predicate {
    if (++this.#depth > DEPTH_MAX) throw this.#wrong(`is nested over ${DEPTH_MAX} deep`);
    const parts = [this.#all()];
    while (this.#takes("or")) parts.push(this.#all());
    this.#depth--;
    return parts.length === 1 ? parts[0]! : (path, fields) => parts.some((part) => part(path, fields));
  }

  #all(): Predicate {
    const parts = [this.#one()];
    while (this.#takes("and")) parts.push(this.#one());
    return parts.length === 1 ? parts[0]! : (path, fields) => parts.every((part) => part(path, fields));
  }

  #one(): Predicate {
    let isNot = false;
    while (this.#takes("not")) isNot = !isNot;
    const predicate = this.#takes("(") ? this.#closed() : this.#comparison();
    return isNot ? (path, fields) => !predicate(path, fields) : predicate;
  }

  #closed(): Predicate {
    const predicate = this.#any();
    this.#expect(")");
    return predicate;
  }

  #comparison(): Predicate {
    const left = this.#operand();
    const sign = this.#next;
    if (sign.kind === "sign" && Object.hasOwn(COMPARISONS, sign.text)) {
      this.#at++;
      const compare = COMPARISONS[sign.text as keyof typeof COMPARISONS];
      const right = this.#operand();
      return (path, fields) => compare(left(path, fields), right(path, fields));
    }
    if (this.#takes("is")) return this.#isMissing(left);
    const isNot = this.#takes("not");
    const holds = this.#wordComparison(left, isNot);
    return isNot ? (path, fields) => left(path, fields) !== undefined && !holds(path, fields) : holds;
  }

  #isMissing(left: Operand): Predicate {
    const isNot = this.#takes("not");
    if (!this.#takes("null") && !this.#takes("missing")) throw this.#wrong("null or missing is expected");
    return (path, fields) => (left(path, fields) === undefined) !== isNot;
  }

  #wordComparison(left: Operand, isNot: boolean): Predicate {
    if (this.#takes("in")) return this.#among(left);
    if (this.#takes("like")) {
      const pattern = this.#text();
      return (path, fields) => isText(left(path, fields), (text) => matchesLike(text, pattern));
    }
    if (this.#takes("glob")) {
      const matches = picomatch(this.#text(), { dot: true, nonegate: true, noextglob: true });
      return (path, fields) => isText(left(path, fields), (text) => matches(text));
    }
    if (this.#takes("contains")) {
      const right = this.#operand();
      return (path, fields) => contains(left(path, fields), right(path, fields));
    }
    if (this.#takes("between")) return this.#between(left);
    if (isNot) throw this.#wrong("in, like, glob, contains or between is expected");
    return (path, fields) => left(path, fields) === true; // A field alone.
  }

  #among(left: Operand): Predicate {
    this.#expect("(");
    const values = [this.#operand()];
    while (this.#takes(",")) values.push(this.#operand());
    this.#expect(")");
    return (path, fields) => {
      const value = left(path, fields);
      return values.some((each) => COMPARISONS["="](value, each(path, fields)));
    };
  }

  #between(left: Operand): Predicate {
    const low = this.#operand();
    if (!this.#takes("and")) throw this.#wrong("and is expected");
    const high = this.#operand();
    return (path, fields) => {
      const value = left(path, fields);
      return COMPARISONS[">="](value, low(path, fields)) && COMPARISONS["<="](value, high(path, fields));
    };
  }

  #operand(): Operand {
    const { kind, text } = this.#next;
    this.#at++;
    if (kind === "name") return fieldOf(text);
    const literal = literalOf(kind, text);
    if (literal !== undefined) return () => literal;
    this.#at--;
    throw this.#wrong("a field or a value is expected");
  }

  #text(): string {
    const { kind, text } = this.#next;
    if (kind !== "text") throw this.#wrong("a text in quotes is expected");
    this.#at++;
    return text;
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #takes(text: string): boolean {
    const { kind } = this.#next;
    if ((kind !== "word" && kind !== "sign") || this.#next.text !== text) return false;
    this.#at++;
    return true;
  }

  #expect(sign: string): void {
    if (!this.#takes(sign)) throw this.#wrong(`${sign} is expected`);
  }

  #wrong(problem: string) {
    return wrongAt(this.expression, this.#next.at, problem);
  }
}

function literalOf(kind: Token["kind"], text: string): string | number | boolean | undefined {
  if (kind === "text") return text;
  if (kind === "number") return Number(text);
  return kind === "word" && (text === "true" || text === "false") ? text === "true" : undefined;
}

/** `path`, a field, or with dots a field of a field. A field whose name holds dots goes first. */
function fieldOf(name: string): Operand {
  if (name === "path") return (path) => textOf(path);
  const names = name.split(".");
  return (_, fields) => {
    if (Object.hasOwn(fields, name)) return present(fields[name]);
    let value: Value = fields;
    for (const each of names) value = isFields(value) && Object.hasOwn(value, each) ? value[each] : undefined;
    return present(value);
  };
}

function isFields(value: Value): value is FileFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function present(value: Value): Value {
  return value === null ? undefined : value;
}

/** Negative, zero or positive; undefined for what cannot be compared. */
function order(a: Value, b: Value): number | undefined {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : a > b ? 1 : 0;
  return typeof a === "boolean" && typeof b === "boolean" ? Number(a) - Number(b) : undefined;
}

function ordered(holds: (order: number) => boolean): (a: Value, b: Value) => boolean {
  return (a, b) => {
    const known = order(a, b);
    return known !== undefined && holds(known);
  };
}

const equal = ordered((order) => order === 0);
const unequal = (a: Value, b: Value) => a !== undefined && b !== undefined && !equal(a, b);

const COMPARISONS = {
  "=": equal,
  "==": equal,
  "!=": unequal,
  "<>": unequal,
  "<": ordered((order) => order < 0),
  "<=": ordered((order) => order <= 0),
  ">": ordered((order) => order > 0),
  ">=": ordered((order) => order >= 0),
};

function isText(value: Value, holds: (text: string) => boolean): boolean {
  return typeof value === "string" && holds(value);
}

/** An array has it among its elements, a text as part of it. */
function contains(value: Value, part: Value): boolean {
  if (Array.isArray(value)) return value.some((each: Json) => equal(each, part));
  return typeof value === "string" && typeof part === "string" && value.includes(part);
}
