/** What mount(8) tells its helper, and what is made of it. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { helperCall, parseEnvironment, splitOptions } from "../../src/cli/mount-options.js";
import { isDatasetError } from "../../src/errors.js";

const call = (...args: string[]) => helperCall(["lab/data", "/mnt", ...args]);
const refusing = (...args: string[]) =>
  assert.throws(
    () => call(...args),
    (error) => isDatasetError(error, "bad-input"),
  );

test("what every line of fstab may say changes nothing, and the version is mounted to be read", () => {
  const generic = "rw,defaults,noauto,user,nofail,_netdev,noatime,nosuid,nodev,comment=x,user=ada";
  const forSystemd = "x-systemd.automount,x-systemd.idle-timeout=60,X-own=1";
  const { options, ...others } = call("-n", "-o", `${generic},${forSystemd}`);
  assert.deepEqual(others, {
    reference: "lab/data",
    directory: "/mnt",
    environment: {},
    environmentFile: undefined,
    fake: false,
    verbose: false,
  });
  const asked = Object.entries(options).filter(([, value]) => value !== undefined && value !== false);
  assert.deepEqual(asked, [
    ["passthrough", true],
    ["source", "lab/data"],
  ]);
});

test("options of varve say how it is mounted, and where what it needs is", () => {
  const { options, environment, environmentFile, fake, verbose } = call(
    "-fv",
    "-o",
    "ro,allow_other,uid=1000,gid=100,noexec,nopassthrough,deadline=5,metrics=9464",
    "-o",
    `where="width > 100, height > 1",glob=*.jpg,glob=*.png,home=/var/lib/varve,cache_size=1GiB,environment_file=/etc/v`,
  );
  assert.deepEqual(options, {
    writable: false,
    allowOther: true,
    preserveOwner: false,
    offline: undefined,
    passthrough: false,
    noexec: true,
    uid: 1000,
    gid: 100,
    deadlineMs: 5_000,
    where: "width > 100, height > 1",
    globs: ["*.jpg", "*.png"],
    metrics: "9464",
    source: "lab/data",
  });
  assert.deepEqual(environment, { VARVE_HOME: "/var/lib/varve", VARVE_CACHE_SIZE: "1GiB" });
  assert.deepEqual([environmentFile, fake, verbose], ["/etc/v", true, true]);
});

test("the later of two options that contradict each other counts; all versions are asked for by `all`", () => {
  assert.equal(call("-o", "noexec,exec").options.noexec, false);
  assert.equal(call("-o", "ro,rw,writable").options.writable, true);
  assert.equal(helperCall(["varve", "/mnt", "-o", "all"]).reference, undefined);
});

test("what cannot be done is refused; an unknown option is not where mount(8) is told to be sloppy", () => {
  refusing("-o", "compress=zstd");
  assert.equal(call("-s", "-o", "compress=zstd").reference, "lab/data");
  for (const options of ["remount", "ro,writable", "uid=ada", "deadline=0", "uid=99999999999"])
    refusing("-o", options);
  refusing("-N", "/proc/1/ns/mnt");
  refusing("-x");
  refusing("more");
  assert.throws(() => helperCall(["lab/data"]));
});

test("a comma in quotes does not end an option", () => {
  assert.deepEqual(splitOptions("a,where=\"x = '1,2'\",,b"), ["a", "where=x = '1,2'", "b"]);
  assert.deepEqual(splitOptions(""), []);
});

test("an environment file is read as systemd reads it, and a wrong line is named without being shown", () => {
  const text = '# keys\n\nAWS_ACCESS_KEY_ID=abc\n  AWS_SECRET_ACCESS_KEY="s e=c"\n; more\nEMPTY=\n';
  assert.deepEqual(parseEnvironment(text, "/etc/v"), {
    AWS_ACCESS_KEY_ID: "abc",
    AWS_SECRET_ACCESS_KEY: "s e=c",
    EMPTY: "",
  });
  assert.throws(
    () => parseEnvironment("A=1\nsecret\n", "/etc/v"),
    ({ message }: Error) => /"\/etc\/v": line 2 /.test(message) && !message.includes("secret"),
  );
});
