import assert from "node:assert/strict";
import { test } from "node:test";

import { placeOf } from "../../src/daemon/metrics-server.js";

test("a port alone is one of this machine; a host may be given, in brackets where it has colons", () => {
  assert.deepEqual(placeOf("9464"), { host: "127.0.0.1", port: 9464 });
  assert.deepEqual(placeOf("0.0.0.0:0"), { host: "0.0.0.0", port: 0 });
  assert.deepEqual(placeOf("[::1]:80"), { host: "::1", port: 80 });
  for (const wrong of ["", "x", "70000", "::1:80", "host:", "1.5", "-1"])
    assert.throws(() => placeOf(wrong), { code: "bad-input" }, wrong);
});
