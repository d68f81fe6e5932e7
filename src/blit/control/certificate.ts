import { generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";
import {
  bitString,
  integer,
  isTrue,
  objectId,
  octets,
  sequence,
  setOf,
  tagged,
  taggedBytes,
  time,
  utf8Text,
} from "./der.ts";

/** PEM texts. */
export type Identity = { readonly cert: string; readonly key: string };

const DAY_MS = 86_400_000;
const TEN_YEARS_DAYS = 3650;

/** Clocks that run behind still take a certificate of today. */
const BACKDATED_DAYS = 1;

const OID = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  commonName: "2.5.4.3",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/**
 * A key and a certificate that it has signed itself (RFC 5280, ECDSA with P-256), for daemons that
 * are pinned by their clients and for clients that are listed by their daemon. Without usage bits:
 * verifiers that take it as an anchor of their own want to see it sign itself.
 */
export function makeIdentity(options: {
  /** Shown as the name; at most 64 characters. */
  readonly commonName: string;
  /** Host names and addresses that it is for. */
  readonly names: readonly string[];
  readonly days?: number;
  readonly now?: Date;
}): Identity {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const now = options.now ?? new Date();
  const name = nameOf(options.commonName);
  const body = sequence(
    tagged(0, integer(Uint8Array.of(2))),
    integer(serialNumber()),
    sequence(objectId(OID.ecdsaWithSha256)),
    name,
    sequence(
      time(new Date(now.getTime() - BACKDATED_DAYS * DAY_MS)),
      time(new Date(now.getTime() + (options.days ?? TEN_YEARS_DAYS) * DAY_MS)),
    ),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tagged(3, sequence(...extensions(options.names))),
  );
  const signature = sign("sha256", body, privateKey);
  const certificate = sequence(body, sequence(objectId(OID.ecdsaWithSha256)), bitString(signature));
  return {
    cert: pem("CERTIFICATE", certificate),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** 127 random bits, never 0: RFC 5280 allows 20 bytes and no negative numbers. */
function serialNumber(): Uint8Array {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function nameOf(commonName: string): Buffer {
  const text = commonName.slice(0, 64);
  return sequence(setOf(sequence(objectId(OID.commonName), utf8Text(text))));
}

function extensions(names: readonly string[]): Buffer[] {
  const list = [
    extension(OID.basicConstraints, sequence(), true),
    extension(
      OID.extendedKeyUsage,
      sequence(objectId(OID.serverAuth), objectId(OID.clientAuth)),
      false,
    ),
  ];
  const alternatives = names.map(alternativeName);
  if (alternatives.length > 0) {
    list.push(extension(OID.subjectAltName, sequence(...alternatives), false));
  }
  return list;
}

function extension(id: string, value: Uint8Array, isCritical: boolean): Buffer {
  return sequence(objectId(id), ...(isCritical ? [isTrue()] : []), octets(value));
}

function alternativeName(name: string): Buffer {
  return isIP(name) === 0
    ? taggedBytes(2, Buffer.from(name, "latin1"))
    : taggedBytes(7, addressBytes(name));
}

/** Four or sixteen bytes. */
function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split(".").map(Number));
  const plain = address.replace(/%.*$/, "");
  const words = new URL(`http://[${plain}]/`).hostname.slice(1, -1).split("::");
  const [head, tail] = words.map((part) => (part === "" ? [] : part.split(":")));
  const missing = 8 - (head?.length ?? 0) - (tail?.length ?? 0);
  const zeros = Array.from({ length: tail === undefined ? 0 : missing }, () => "0");
  return Uint8Array.from(
    [...(head ?? []), ...zeros, ...(tail ?? [])].flatMap((word) => {
      const value = Number.parseInt(word, 16);
      return [value >>> 8, value & 0xff];
    }),
  );
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
