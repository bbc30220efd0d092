/** The little XML that S3 speaks: elements with text, no attributes that matter. */

import type { Reply } from "../object-server/reply.js";

/** An element's content: text, elements, or an element of one name repeated. */
export type Xml = string | number | boolean | undefined | { [name: string]: Xml } | Xml[];

const NAMESPACE = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

export function xmlDocument(name: string, content: Xml): string {
  const namespace = name === "Error" ? "" : NAMESPACE;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${namespace}>${inner(content)}</${name}>`;
}

export function xmlReply(name: string, content: Xml, headers: Record<string, string> = {}): Reply {
  const body = Buffer.from(xmlDocument(name, content));
  return { status: 200, headers: { "content-type": "application/xml", ...headers }, body };
}

/** The contents of every element `name`, in order; elements of one name do not nest in what S3 is sent. */
export function elementsOf(xml: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, "g");
  return [...xml.matchAll(pattern)].map((match) => match[1]!);
}

/** The text of the first element `name`. */
export function textOf(xml: string, name: string): string | undefined {
  const found = elementsOf(xml, name)[0];
  return found?.replace(/&(quot|apos|lt|gt|amp|#x?[0-9a-fA-F]+);/g, (_, entity: string) => decoded(entity));
}

function inner(content: Xml): string {
  if (content === undefined) return "";
  if (typeof content !== "object") return escaped(String(content));
  if (Array.isArray(content)) return content.map(inner).join("");
  return Object.entries(content).map(([name, value]) => element(name, value)).join(""); // prettier-ignore
}

function element(name: string, value: Xml): string {
  if (value === undefined) return "";
  const each = Array.isArray(value) ? value : [value];
  return each.map((one) => `<${name}>${inner(one)}</${name}>`).join("");
}

function escaped(text: string): string {
  const named: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\r": "&#13;",
  };
  return text.replace(/[&<>"\r]/g, (character) => named[character]!);
}

function decoded(entity: string): string {
  const named: Record<string, string> = { quot: '"', apos: "'", lt: "<", gt: ">", amp: "&" };
  if (!entity.startsWith("#")) return named[entity]!;
  const hex = entity.startsWith("#x");
  return String.fromCodePoint(parseInt(entity.slice(hex ? 2 : 1), hex ? 16 : 10));
}
