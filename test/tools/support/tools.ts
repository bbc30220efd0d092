/** The tools that tests run on a mount, and Debian's packages of them, which scripts/setup installs. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const PACKAGES = {
  fio: "fio",
  gcc: "gcc libc6-dev",
  git: "git",
  make: "make",
  npm: "npm",
  numpy: "python3-numpy",
  perl: "perl-base",
  rsync: "rsync",
  setfattr: "attr",
  tar: "tar",
  vim: "vim",
};

export type Tool = keyof typeof PACKAGES;

/** Debian's Python, which has Debian's numpy, whatever other Python comes first on the PATH. */
const NUMPY = "/usr/lib/python3/dist-packages/numpy";

/** Fails where a tool is missing: a test that did nothing must not pass. */
export function requireTools(tools: readonly Tool[]): void {
  const missing = tools.filter((tool) => !(tool === "numpy" ? existsSync(NUMPY) : isOnPath(tool)));
  if (missing.length === 0) return;
  const packages = missing.map((tool) => PACKAGES[tool]).join(" ");
  throw new Error(
    `Cannot test with ${missing.join(", ")}: install ${packages} (scripts/setup does, as root)`,
  );
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => existsSync(join(folder, program)));
}
