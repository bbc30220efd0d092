/** Lines of shell as a test runs them: nothing of this user's settings steers the tools, and a failure says all. */
import { execFile } from "node:child_process";

export interface Place {
  cwd: string;
  /** `$LOCAL` in the lines, and the tools' home. */
  scratch: string;
}

const LIMITS = { timeout: 180_000, maxBuffer: 1 << 26 };

/** Runs lines up to the first that fails; what they printed. */
export function shell(lines: string, { cwd, scratch }: Place): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(
      "bash",
      ["-euo", "pipefail", "-c", lines],
      { ...LIMITS, cwd, env: environment(scratch) },
      (error, stdout, stderr) => {
        if (error) reject(new Error(`${error.message}\n${stdout}${stderr}`));
        else resolve(stdout);
      },
    );
  });
}

function environment(scratch: string): NodeJS.ProcessEnv {
  const author = { NAME: "A", EMAIL: "a@example.org" };
  const people = ["AUTHOR", "COMMITTER"].flatMap((role) =>
    Object.entries(author).map(([key, value]) => [`GIT_${role}_${key}`, value]),
  );
  return {
    PATH: process.env["PATH"],
    LOCAL: scratch,
    HOME: scratch,
    LC_ALL: "C.UTF-8",
    NODE: process.execPath,
    GIT_CONFIG_NOSYSTEM: "1",
    ...(Object.fromEntries(people) as Record<string, string>),
  };
}
