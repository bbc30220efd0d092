/** What versions in the fixtures of stored formats hold. */
export const FIXTURE_FILES: Readonly<Record<string, string>> = {
  "a.txt": "a\n",
  "dir/run.sh": "#!/bin/sh\n",
  "table.csv": "name,width\ncat,3\ndog,4\n",
  // Several chunks, and few bytes once they are compressed.
  "large.txt": "a line that comes again and again\n".repeat(70_000),
};
