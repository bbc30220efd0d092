/**
 * Ed25519 keys as text: a public one on one line, `varve-ed25519 BASE64 NAME`, a secret one as PEM (PKCS #8), which OpenSSL
 * reads and writes too. No file is opened here.
 * Source: https://www.rfc-editor.org/rfc/rfc8032, https://www.rfc-editor.org/rfc/rfc8037 (the JWK form)
 */
import {
  type KeyObject,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
} from "node:crypto";
import { sha256 } from "../../content/hash.js";

const PREFIX = "varve-ed25519";
const KEY_BYTES = 32;
/** Half of a SHA-256 would be enough against chance; who makes keys to clash gains nothing, since keys are compared whole. */
const ID_CHARS = 16;

export interface PublicKey {
  /** The first 16 hex digits of its SHA-256: for people. */
  id: string;
  /** 32 bytes, base64. */
  base64: string;
  /** What it is called; nothing rests on it. */
  name: string;
}

export interface SigningKey {
  publicKey: PublicKey;
  sign: (bytes: Uint8Array) => Uint8Array;
}

/** One line of text. */
export function textOfKey({ base64, name }: PublicKey): string {
  return `${PREFIX} ${base64} ${name}`.trimEnd();
}

/** Undefined for what is no public key. */
export function parsePublicKey(text: string): PublicKey | undefined {
  const [prefix, base64 = "", ...name] = text.trim().split(/\s+/);
  const raw = Buffer.from(base64, "base64");
  if (prefix !== PREFIX || raw.length !== KEY_BYTES || raw.toString("base64") !== base64) return undefined;
  return publicKeyOf(raw, name.join(" "));
}

/** The keys of a file: one a line; empty lines and what follows `#` count for nothing. Undefined when a line is no key. */
export function parsePublicKeys(text: string): PublicKey[] | undefined {
  const lines = text.split("\n").map((line) => line.replace(/#.*/, "").trim());
  const keys = lines.filter((line) => line !== "").map(parsePublicKey);
  return keys.length > 0 && keys.every((key) => key !== undefined) ? keys : undefined;
}

/** Whether `signature` over `bytes` was made with the secret half of a key. */
export function isSignedBy({ base64 }: PublicKey, bytes: Uint8Array, signature: Uint8Array): boolean {
  const x = Buffer.from(base64, "base64").toString("base64url");
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    return verify(null, bytes, key, signature);
  } catch {
    return false; // 32 bytes that are no point of the curve.
  }
}

/** A new secret key as PEM, encrypted where there is a passphrase. */
export function newSecretKey(passphrase: string | undefined): string {
  const { privateKey } = generateKeyPairSync("ed25519");
  const plain = { type: "pkcs8", format: "pem" } as const;
  return privateKey.export(passphrase ? { ...plain, cipher: "aes-256-cbc", passphrase } : plain) as string;
}

/** @throws what `node:crypto` throws for what is no secret Ed25519 key, or when the passphrase is missing or wrong */
export function signingKeyOf(pem: string, name: string, passphrase: string | undefined): SigningKey {
  const key = createPrivateKey({ key: pem, ...(passphrase && { passphrase }) });
  if (key.asymmetricKeyType !== "ed25519")
    throw new Error(`it is a key of another kind (${key.asymmetricKeyType})`);
  return { publicKey: publicKeyOf(rawOf(key), name), sign: (bytes) => sign(null, bytes, key) };
}

function rawOf(secret: KeyObject): Buffer {
  const { x = "" } = createPublicKey(secret).export({ format: "jwk" });
  return Buffer.from(x, "base64url");
}

function publicKeyOf(raw: Buffer, name: string): PublicKey {
  return { id: sha256(raw).slice(0, ID_CHARS), base64: raw.toString("base64"), name };
}
