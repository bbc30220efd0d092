/** `text-width.ts` in place of the package `string-width`, whose tables of Unicode cost each command 30 ms; `scripts/bundle.ts` puts it there. */
export { widthOf as default } from "./text-width.js";
