/** A C build on a writable mount: make goes by times, the linker writes as it likes, and what was built runs. */
import assert from "node:assert/strict";

import { toolTest } from "./support/workshop.js";

const PROGRAM = `
mkdir src && for i in 1 2 3 4 5 6; do printf '#include "common.h"\\nint f%s(void) { return COMMON * %s; }\\n' $i $i >src/f$i.c; done
echo '#define COMMON 1' >src/common.h
{ for i in 1 2 3 4 5 6; do echo "int f$i(void);"; done
  echo '#include <stdio.h>'; echo 'int main(void) { printf("%d\\n", f1()+f2()+f3()+f4()+f5()+f6()); return 0; }'; } >src/main.c
cat >Makefile <<'END'
OBJECTS = $(patsubst src/%.c,build/%.o,$(wildcard src/*.c))
program: build/libparts.a build/main.o
	$(CC) -o $@ build/main.o -Lbuild -lparts
build/libparts.a: $(filter-out build/main.o,$(OBJECTS))
	$(AR) rc $@ $^
build/%.o: src/%.c | build
	$(CC) -O1 -MMD -c -o $@ $<
build:
	mkdir -p $@
-include build/*.d
END`;

toolTest(
  "make builds a C program, then only what changed, and in the version everything is up to date and runs",
  { needs: ["make", "gcc"], base: PROGRAM },
  async ({ sh, committed }) => {
    const compiled = async () => ((await sh("make -j2")).match(/ -c /g) ?? []).length;
    assert.equal(await compiled(), 7);
    assert.equal(await sh("make -q && ./program"), "21\n");
    await sh("echo 'int f3(void) { return 103; }' >src/f3.c");
    assert.equal(await compiled(), 1);
    await sh("sed -i s/1/2/ src/common.h");
    assert.equal(await compiled(), 5);
    const path = await committed();
    assert.equal(await sh(`make -q -C ${path} && ${path}/program`), "139\n");
  },
);
