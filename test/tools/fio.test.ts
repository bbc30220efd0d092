/** fio on a writable mount: every block written at random is read back and checked, by read(2) and by mappings. */
import assert from "node:assert/strict";

import { toolTest } from "./support/workshop.js";

const MIB = 1 << 20;

interface Report {
  jobs: {
    jobname: string;
    error: number;
    read: { io_bytes: number };
    write: { io_bytes: number };
  }[];
}

const VERIFIED = "--verify=crc32c --verify_fatal=1 --randseed=7 --output-format=json";

/** Each engine writes a file of the version over and makes a new one. */
const JOBS = [
  "--name=sync --ioengine=psync --bs=4k --size=8m --fsync=500",
  "--name=mmap --ioengine=mmap --bs=4k --size=8m",
  "--name=direct --ioengine=libaio --direct=1 --iodepth=16 --bs=16k --size=8m",
  "--name=odd --ioengine=psync --bsrange=512-9k --bs_unaligned --size=4m --numjobs=2 --fallocate=none",
];

toolTest(
  "fio's random writes verify while mounted and in the version, by system calls, mappings and without the page cache",
  { needs: ["fio"], base: "for name in sync mmap; do head -c 8M /dev/urandom >$name.0.0; done" },
  async ({ sh, committed }) => {
    const write = `fio --rw=randwrite ${VERIFIED}`;
    const report = JSON.parse(await sh(`${write} ${JOBS.join(" ")}`)) as Report;
    for (const { jobname, error, read, write } of report.jobs) {
      assert.equal(error, 0, jobname);
      assert.ok(write.io_bytes > 3 * MIB && read.io_bytes >= write.io_bytes, `${jobname} read what it wrote`);
    }
    const path = await committed();
    const again = `fio --readonly --rw=read ${VERIFIED} --directory=${path}`;
    for (const job of JOBS.slice(0, 3)) await sh(`${again} ${job}`);
  },
);
