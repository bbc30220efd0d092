/** numpy's memory maps on a writable mount: shared, private, and of files of the version. */
import assert from "node:assert/strict";

import { toolTest } from "./support/workshop.js";

const PYTHON = "/usr/bin/python3";
const FILL = `
import numpy as np
a = np.memmap("base.dat", dtype="f8", mode="w+", shape=(1000, 500)); a[:] = np.arange(500000).reshape(1000, 500); a.flush()
np.save("base.npy", np.arange(100000, dtype="i4"))`;

toolTest(
  "numpy memmaps files of the version and new ones, r+, w+ and copy on write, and the version has what they stored",
  { needs: ["numpy"], base: `${PYTHON} -c '${FILL}'` },
  async ({ sh, committed }) => {
    await sh(`${PYTHON} -c '
import numpy as np
base = np.memmap("base.dat", dtype="f8", mode="r+", shape=(1000, 500))
base[500] *= -1; base[::100, 7] = 0.5; base.flush()
new = np.memmap("new.dat", dtype="u1", mode="w+", shape=(3000, 1001)); new[::2] = 3; new[-1, -1] = 9; del new
longer = np.memmap("new.dat", dtype="u1", mode="r+", shape=(4000, 1001)); longer[3500] = 5; longer.flush()
private = np.memmap("base.dat", dtype="f8", mode="c", shape=(1000, 500)); private[:] = 0
npy = np.load("base.npy", mmap_mode="r+"); npy[1000:2000] = -7; npy.flush()
made = np.lib.format.open_memmap("made.npy", mode="w+", dtype="f4", shape=(64, 64)); made[3] = 1; del made
'`);
    const path = await committed();
    const said = await sh(`cd ${path} && ${PYTHON} -c '
import numpy as np
base = np.memmap("base.dat", dtype="f8", mode="r", shape=(1000, 500))
wanted = np.arange(500000.0).reshape(1000, 500); wanted[500] *= -1; wanted[::100, 7] = 0.5
new = np.memmap("new.dat", dtype="u1", mode="r", shape=(4000, 1001))
npy = np.load("base.npy", mmap_mode="r")
print((base == wanted).all(), new.sum(), npy[999:2001].sum(), np.load("made.npy", mmap_mode="r").sum())
'`);
    assert.equal(said, `True ${3 * 1500 * 1001 + 9 + 5 * 1001} ${999 - 7000 + 2000} 64.0\n`);
  },
);
