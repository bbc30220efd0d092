/** The reference of the library: everything `src/index.ts` exports, with signatures and docstrings. */
import ts from "typescript";

export interface LibraryReference {
  text: string;
  /** `Dataset.addFiles`: classes, their members and functions without a docstring. Types are told by their fields. */
  undocumented: readonly string[];
}

const HEAD = `# Library

Everything the package \`varve\` exports, from its docstrings. Made by \`node dist/scripts/reference.js\`.
`;

export function libraryReference(entry: string): LibraryReference {
  const program = ts.createProgram([entry], {
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    strict: true,
    skipLibCheck: true,
  });
  return new Library(program.getTypeChecker(), program.getSourceFile(entry)!).reference();
}

class Library {
  readonly #undocumented: string[] = [];

  constructor(
    private readonly checker: ts.TypeChecker,
    private readonly source: ts.SourceFile,
  ) {}

  reference(): LibraryReference {
    const module = this.checker.getSymbolAtLocation(this.source)!;
    const symbols = this.checker
      .getExportsOfModule(module)
      .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? this.checker.getAliasedSymbol(symbol) : symbol))
      .sort((a, b) => rankOf(a) - rankOf(b) || (a.name < b.name ? -1 : 1));
    const sections = symbols.map((symbol) => this.#section(symbol));
    return { text: [HEAD, ...sections].join("\n"), undocumented: this.#undocumented };
  }

  #section(symbol: ts.Symbol): string {
    const heading = `## ${symbol.name}\n`;
    const declaration = symbol.declarations?.[0];
    if (declaration && ts.isClassDeclaration(declaration)) return heading + this.#class(symbol);
    const shown = declaration ? code(textOf(declaration)) : "";
    return `${heading}\n${this.#docs(symbol, symbol.name)}\n${shown}`;
  }

  /** Static members first, then those of an instance, inherited ones too. */
  #class(symbol: ts.Symbol): string {
    const of = (type: ts.Type) => this.checker.getPropertiesOfType(type).filter(isPublic);
    const statics = of(this.checker.getTypeOfSymbol(symbol)).filter(({ name }) => name !== "prototype");
    const members = of(this.checker.getDeclaredTypeOfSymbol(symbol));
    const lines = [...statics, ...members].map((member) => this.#member(symbol.name, member));
    return `\n${this.#docs(symbol, symbol.name)}\n${lines.join("\n")}`;
  }

  #member(owner: string, member: ts.Symbol): string {
    const declarations = (member.declarations ?? []).filter(
      (one) => !ts.isMethodDeclaration(one) || one.body,
    );
    const signatures = declarations.map((declaration) => code(textOf(declaration))).join("");
    const name = `${owner}.${member.name}`;
    return `### ${name}\n\n${signatures}\n${this.#docs(member, name)}\n`;
  }

  #docs(symbol: ts.Symbol, name: string): string {
    const text = ts.displayPartsToString(symbol.getDocumentationComment(this.checker));
    const tags = symbol.getJsDocTags(this.checker).map(tagText);
    const isType = rankOf(symbol) === 2 && !name.includes(".");
    if (text === "" && tags.length === 0 && !isType) this.#undocumented.push(name);
    return [text, tags.join("\n")].filter(Boolean).join("\n\n");
  }
}

/** Classes first, then functions, then types. */
function rankOf({ flags }: ts.Symbol): number {
  if (flags & ts.SymbolFlags.Class) return 0;
  return flags & ts.SymbolFlags.Function ? 1 : 2;
}

function isPublic(member: ts.Symbol): boolean {
  const declaration = member.declarations?.[0];
  if (!declaration || declaration.getSourceFile().isDeclarationFile || isHidden(declaration)) return false;
  const flags = ts.getCombinedModifierFlags(declaration);
  return (flags & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) === 0;
}

function isHidden(declaration: ts.Declaration): boolean {
  const { name } = declaration as ts.NamedDeclaration;
  return name !== undefined && ts.isPrivateIdentifier(name);
}

function tagText({ name, text }: ts.JSDocTagInfo): string {
  const words = ts.displayPartsToString(text).replace(/^\{(\w+)\} /, "`$1` ");
  return `- _${name}_ ${words.replaceAll("\n", " ")}`;
}

/** A declaration without its docstring, and without the body of what it does. */
function textOf(declaration: ts.Declaration): string {
  const source = declaration.getSourceFile();
  const body = (declaration as ts.FunctionLikeDeclaration).body;
  const end = body ? body.getStart(source) : declaration.getEnd();
  const text = source.text.slice(declaration.getStart(source), end).trim();
  return text.replace(/^export (declare )?/, "").replace(/\b(async|override) /g, "");
}

function code(text: string): string {
  return `\`\`\`ts\n${text}\n\`\`\`\n`;
}
