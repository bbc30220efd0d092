/**
 * Comma- and tab-separated values, as RFC 4180 has them, with line ends of any system. Pure: text in pieces comes in,
 * records go out; which is the header is for who reads them.
 * Source: https://www.rfc-editor.org/rfc/rfc4180
 */

/** Reads records from text that arrives in pieces. */
export class SeparatedValues {
  #record: string[] = [];
  #field = "";
  #state: "plain" | "quoted" | "quote" = "plain";
  #sawReturn = false;

  constructor(private readonly separator: string = ",") {}

  /** The records that end in this piece of the text. */
  *push(text: string): Generator<string[]> {
    for (const character of text) {
      if (this.#state === "quoted") this.#takeQuoted(character);
      else if (this.#state === "quote" && character === '"') this.#takeAgain(character);
      else if (character === "\n" && this.#sawReturn) this.#sawReturn = false;
      else if (character === "\n" || character === "\r") yield* this.#endRecord(character);
      else this.#takePlain(character);
    }
  }

  /** The last record, where the text does not end with a line end. */
  *finish(): Generator<string[]> {
    if (this.#record.length > 0 || this.#field !== "") yield* this.#endRecord("");
  }

  #takeQuoted(character: string): void {
    if (character === '"') this.#state = "quote";
    else this.#field += character;
  }

  /** Two quotes within quotes are one. */
  #takeAgain(character: string): void {
    this.#state = "quoted";
    this.#field += character;
  }

  #takePlain(character: string): void {
    this.#sawReturn = false;
    this.#state = "plain";
    if (character === this.separator) this.#endField();
    else if (character === '"' && this.#field === "") this.#state = "quoted";
    else this.#field += character;
  }

  #endField(): void {
    this.#record.push(this.#field);
    this.#field = "";
  }

  /** A line with nothing on it is no record. */
  *#endRecord(character: string): Generator<string[]> {
    this.#sawReturn = character === "\r";
    this.#state = "plain";
    this.#endField();
    const record = this.#record;
    this.#record = [];
    if (record.length > 1 || record[0] !== "") yield record;
  }
}

/** All records of a text. */
export function* recordsOf(text: string, separator?: string): Generator<string[]> {
  const values = new SeparatedValues(separator);
  yield* values.push(text.replace(/^\uFEFF/, ""));
  yield* values.finish();
}

/** One record as a line without its end. */
export function lineOf(cells: readonly string[], separator = ","): string {
  const quoted = cells.map((cell) =>
    cell.includes(separator) || /["\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
  );
  return quoted.join(separator);
}

/** A cell as a value: numbers and truth values as such, nothing as undefined, all else (`007` too) as text. */
export function valueOfCell(cell: string): string | number | boolean | undefined {
  if (cell === "") return undefined;
  if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(cell)) {
    const number = Number(cell);
    // Digits beyond what a number holds are a name, not a quantity.
    if (Number.isFinite(number) && (!Number.isInteger(number) || Number.isSafeInteger(number))) return number;
  }
  if (/^true$/i.test(cell)) return true;
  return /^false$/i.test(cell) ? false : cell;
}
