/** Names of datasets as they may be: checked where they are written by people, and where they come from a remote. */

export interface DatasetName {
  /** May hold `/`. */
  project: string;
  /** May not. */
  name: string;
}

const NAME_MAX_CHARS = 200;

/** Splits `project/name` at its last slash. */
export function splitDatasetName(text: string): DatasetName {
  const slash = text.lastIndexOf("/");
  return { project: text.slice(0, Math.max(0, slash)), name: text.slice(slash + 1) };
}

/** Why a text is no `project/name`, in words; undefined where it is one. */
export function datasetNameProblem(text: string): string | undefined {
  if (text.lastIndexOf("/") < 1) return "has no project";
  if (text.split("/").some((part) => part.trim() === "" || part === "." || part === ".."))
    return "has an empty component, `.` or `..`";
  if (/[\u0000-\u001f@#\\]/.test(text)) return "has a control character, `@`, `#` or a backslash";
  return text.length > NAME_MAX_CHARS ? `is over ${NAME_MAX_CHARS} characters` : undefined;
}

/** Whether this is the name of a dataset: for names that come from a remote. */
export function isDatasetName({ project, name }: DatasetName): boolean {
  const text = `${project}/${name}`;
  return datasetNameProblem(text) === undefined && splitDatasetName(text).name === name;
}
