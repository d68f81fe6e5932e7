import { createHash, createPrivateKey, X509Certificate } from "node:crypto";
import { lstatSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { type Identity, makeIdentity } from "./certificate.ts";

/** A certificate with its key, as it lies in two files. */
export type LoadedIdentity = Identity & {
  /** Of the certificate (DER), lower-case hexadecimal. */
  readonly certificateSha256: string;
  /** It was made just now. */
  readonly isNew: boolean;
};

/**
 * Reads a certificate and its key (PEM).
 *
 * @throws Fault E_CONFIG when they are none or no pair, E_REFUSED when everybody may read the key
 */
export function loadIdentity(files: {
  readonly certFile: string;
  readonly keyFile: string;
}): LoadedIdentity {
  const { certFile, keyFile } = files;
  const cert = readPem(certFile, "certificate");
  refuseOpenKey(keyFile);
  const key = readPem(keyFile, "key");
  const certificate = parse(certFile, "a certificate", () => new X509Certificate(cert));
  const privateKey = parse(keyFile, "a private key without passphrase", () =>
    createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot use "${keyFile}": it is not the key of the certificate in "${certFile}"`,
    });
  }
  return { cert, key, certificateSha256: sha256Of(certificate.raw), isNew: false };
}

/**
 * As {@link loadIdentity}; where neither file exists, a certificate is made that has signed itself.
 *
 * @throws Fault E_IO too, when the files cannot be written
 */
export function loadOrMakeIdentity(options: {
  readonly certFile: string;
  readonly keyFile: string;
  readonly commonName: string;
  readonly names: readonly string[];
}): LoadedIdentity {
  const { certFile, keyFile } = options;
  if (exists(certFile) || exists(keyFile)) return loadIdentity(options);
  const identity = makeIdentity(options);
  makeFolder(dirname(keyFile));
  makeFolder(dirname(certFile));
  // The certificate last: with a key alone nothing is loaded, and the message says what is missing.
  writeFileAtomic({ path: keyFile, content: identity.key, mode: 0o600 });
  writeFileAtomic({ path: certFile, content: identity.cert, mode: 0o644 });
  return { ...loadIdentity(options), isNew: true };
}

/**
 * The PEM text of one or more certificates.
 *
 * @throws Fault E_CONFIG
 */
export function loadCertificates(file: string): string {
  const text = readPem(file, "certificate");
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  for (const block of blocks) parse(file, "certificates", () => new X509Certificate(block));
  if (blocks.length > 0) return text;
  throw new Fault({ code: "E_CONFIG", message: `Cannot use "${file}": it holds no certificate` });
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new Fault({
      code: "E_IO",
      message: `Cannot make the folder "${path}": ${reasonOf(error)}`,
      cause: error,
    });
  }
}

function readPem(file: string, what: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new Fault({
      code: (error as NodeJS.ErrnoException).code === "ENOENT" ? "E_NOT_FOUND" : "E_IO",
      message: `Cannot read the ${what} "${file}": ${reasonOf(error)}`,
      cause: error,
    });
  }
}

/** Group access stays possible: it is how certificates are shared with services. */
function refuseOpenKey(file: string): void {
  if ((modeOf(file) & 0o007) === 0) return;
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot use "${file}": everybody on this machine may read it`,
    hint: `chmod 600 ${file}`,
  });
}

/** 0 for what cannot be looked at: reading it says why. */
function modeOf(file: string): number {
  try {
    return statSync(file).mode;
  } catch {
    return 0;
  }
}

function parse<T>(file: string, what: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot use "${file}": it is not ${what}`,
      cause: error,
    });
  }
}
