/**
 * The keys of a user: secret ones of their own as `NAME.key`, with `NAME.pub` beside, and `trusted.json`, which says by whom
 * the versions of which datasets must be signed. All of it in one folder that only its owner may read.
 */
import { type Stats, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import * as z from "zod";
import { writeStateFile } from "../../daemon/state-file.js";
import { DatasetError, errnoOf, messageOf } from "../../errors.js";
import { type Home, ensureDir } from "../../home.js";
import { bytesOfText } from "../../paths.js";
import { type DatasetName, textOfDataset } from "../reference.js";
import { wildcardsOf } from "../wildcard.js";
import { trustedPath } from "./asked.js";
import {
  type PublicKey,
  type SigningKey,
  newSecretKey,
  parsePublicKey,
  parsePublicKeys,
  signingKeyOf,
  textOfKey,
} from "./keys.js";

type KeyHome = Pick<Home, "keysDir" | "signingKey" | "verifyKeys">;

/** A key by which versions must be signed. */
export interface TrustedKey {
  key: PublicKey;
  /** Wildcards over `project/name`; none are all. */
  datasets: readonly string[];
}

const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;
const OTHERS_MASK = 0o077;

const trustedSchema = z.object({
  format: z.literal(1),
  keys: z.array(z.object({ key: z.string(), datasets: z.array(z.string()) })),
});

/** Makes a key of the user's own. The passphrase of `VARVE_SIGNING_PASSPHRASE`, where there is one, encrypts it. @throws {DatasetError} `bad-input`, `conflict` */
export function createKey({ keysDir }: KeyHome, name: string): PublicKey {
  if (!NAME.test(name)) throw badName(name);
  const path = join(ensureDir(keysDir), `${name}.key`);
  const pem = newSecretKey(passphrase());
  const { publicKey } = signingKeyOf(pem, name, passphrase());
  try {
    writeFileSync(path, pem, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    const message = `Cannot make the key "${name}": there is one of that name`;
    throw new DatasetError("conflict", { what: `key "${name}"` }, message, { cause: error });
  }
  writeFileSync(join(keysDir, `${name}.pub`), `${textOfKey(publicKey)}\n`, { mode: 0o644 });
  return publicKey;
}

/** The keys of the user's own, by name. */
export function ownKeys({ keysDir }: KeyHome): PublicKey[] {
  const names = existsSync(keysDir) ? readdirSync(keysDir).filter((name) => name.endsWith(".pub")) : [];
  return names.sort().flatMap((name) => readKeys(join(keysDir, name)));
}

/** The key that signs what is made here, where one does. @throws {DatasetError} `bad-input` for one that cannot be used */
export function signingKey({ keysDir, signingKey: given }: KeyHome): SigningKey | undefined {
  if (given === undefined) return undefined;
  const path = given.includes("/") ? given : join(keysDir, `${given}.key`);
  try {
    refuseOpenToOthers(path, statSync(path));
    return signingKeyOf(readFileSync(path, "utf8"), basename(path, ".key"), passphrase());
  } catch (cause) {
    if (cause instanceof DatasetError) throw cause;
    const message = `Cannot sign with "${given}" (VARVE_SIGNING_KEY): ${messageOf(cause)}`;
    throw new DatasetError("bad-input", { value: given }, message, { cause });
  }
}

/** Keys given as text, as the name of one of the user's own, or in a file. @throws {DatasetError} `bad-input` */
export function publicKeysOf({ keysDir }: KeyHome, text: string): PublicKey[] {
  const key = parsePublicKey(text);
  if (key) return [key];
  return readKeys(NAME.test(text) ? join(keysDir, `${text}.pub`) : text);
}

/** The keys of which one must have signed the versions of a dataset; undefined where none must. @throws {DatasetError} `bad-input`, `format-damaged` */
export function requiredKeys(home: KeyHome, dataset: DatasetName): PublicKey[] | undefined {
  if (home.verifyKeys.length > 0) return home.verifyKeys.flatMap((text) => publicKeysOf(home, text));
  const path = bytesOfText(textOfDataset(dataset));
  const trusted = trustedKeys(home).filter(({ datasets }) => wildcardsOf(datasets).takes(path));
  return trusted.length > 0 ? trusted.map(({ key }) => key) : undefined;
}

/** @throws {DatasetError} `format-damaged`: what cannot be read must not mean that everybody is trusted */
export function trustedKeys(home: KeyHome): TrustedKey[] {
  const path = trustedPath(home);
  if (!existsSync(path)) return [];
  try {
    const { keys } = trustedSchema.parse(JSON.parse(readFileSync(path, "utf8")));
    return keys.map(({ key, datasets }) => ({ key: requireKey(key), datasets }));
  } catch (cause) {
    const message = `Cannot tell whom to trust: "${path}" is damaged; varve key trust makes it anew once it is removed`;
    throw new DatasetError("format-damaged", { what: path }, message, { cause });
  }
}

/** From now on versions of these datasets must be signed by this key, or by another that is trusted for them. */
export function trustKey(home: KeyHome, key: PublicKey, datasets: readonly string[]): void {
  wildcardsOf(datasets);
  const others = trustedKeys(home).filter(({ key: { base64 } }) => base64 !== key.base64);
  writeTrusted(home, [...others, { key, datasets }]);
}

/** Whether it was trusted. */
export function distrustKey(home: KeyHome, key: PublicKey): boolean {
  const before = trustedKeys(home);
  const left = before.filter(({ key: { base64 } }) => base64 !== key.base64);
  writeTrusted(home, left);
  return left.length < before.length;
}

function writeTrusted(home: KeyHome, trusted: readonly TrustedKey[]): void {
  ensureDir(home.keysDir);
  const keys = trusted.map(({ key, datasets }) => ({ key: textOfKey(key), datasets }));
  writeStateFile(trustedPath(home), { format: 1, keys });
}

function readKeys(path: string): PublicKey[] {
  let problem = "it holds no public key";
  try {
    const keys = parsePublicKeys(readFileSync(path, "utf8"));
    if (keys) return keys;
  } catch (error) {
    problem = messageOf(error);
  }
  const message = `Cannot read keys from "${path}": ${problem}; a key is "varve-ed25519 BASE64", the name of one of yours, or the path of a file of such lines`;
  throw new DatasetError("bad-input", { value: path }, message);
}

function requireKey(text: string): PublicKey {
  const key = parsePublicKey(text);
  if (!key) throw new Error("a key in it is none");
  return key;
}

/** As `ssh` does: a secret that others could read is none. */
function refuseOpenToOthers(path: string, { mode }: Stats): void {
  if ((mode & OTHERS_MASK) === 0) return;
  const message = `Cannot sign with "${path}": others may read it (mode ${(mode & 0o777).toString(8)}); chmod 600 keeps it secret`;
  throw new DatasetError("bad-input", { value: path }, message);
}

/** Never an argument: a command line can be read by everybody on the machine. */
function passphrase(): string | undefined {
  return process.env["VARVE_SIGNING_PASSPHRASE"] || undefined;
}

function badName(name: string): DatasetError<"bad-input"> {
  const message = `Cannot name a key ${JSON.stringify(name)}: take up to 64 letters, digits, ".", "_" and "-"`;
  return new DatasetError("bad-input", { value: name }, message);
}
