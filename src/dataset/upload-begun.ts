/** Whether anything of a draft may lie in its remote. */
import type { Draft } from "./draft.js";

const UPLOAD_BEGUN = "uploadBegun";

/** Noted before the first byte: a killed upload has sent some as well. */
export function noteUploadBegun({ tree }: Draft): void {
  tree.staging.setFact(UPLOAD_BEGUN, true);
}

export function hasUploadBegun({ tree }: Draft): boolean {
  return tree.staging.fact(UPLOAD_BEGUN) === true;
}
