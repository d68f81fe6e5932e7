import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

import { Fault } from "../fault/fault.ts";
import { reasonOf } from "../fault/reason.ts";

/** Whom to believe, and who to be, over TLS. */
export interface TrustSettings {
  /** A PEM file of authorities, or a folder of them; takes the place of the built-in ones. */
  readonly ca?: string | undefined;
  /** A PEM file with certificate and key, or one of each. */
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly verifySsl: boolean;
  /** `host` or `host:port` whose certificate is not looked at. */
  readonly trustedHosts: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The `tls` option of fetch. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized?: false;
}

/**
 * TLS options by URL; files are read at the first https request. Bun itself honours SSL_CERT_FILE
 * and NODE_EXTRA_CA_CERTS as long as no authorities are given.
 */
export class Trust {
  readonly #settings: TrustSettings;
  #verified: TlsOptions | undefined;
  #blind: TlsOptions | undefined;

  constructor(settings: TrustSettings) {
    this.#settings = settings;
  }

  /** True if the host may do without a certificate, or with a wrong one. */
  isTrustedHost(url: URL): boolean {
    const port = url.port || (url.protocol === "https:" ? "443" : "80");
    return this.#settings.trustedHosts.some((text) => {
      const item = text.trim().toLowerCase();
      return item === url.hostname || item === url.host || item === `${url.hostname}:${port}`;
    });
  }

  /** @throws {Fault} E_CONFIG when a file that was named cannot be read */
  optionsFor(url: URL): TlsOptions {
    if (url.protocol !== "https:") return {};
    if (!this.#settings.verifySsl || this.isTrustedHost(url)) {
      this.#blind ??= { ...this.#identity(), rejectUnauthorized: false };
      return this.#blind;
    }
    this.#verified ??= { ...this.#identity(), ...this.#authorities() };
    return this.#verified;
  }

  #authorities(): TlsOptions {
    const { environment } = this.#settings;
    const place =
      this.#settings.ca ||
      environment["PIP_CERT"] ||
      environment["SSL_CERT_FILE"] ||
      environment["REQUESTS_CA_BUNDLE"] ||
      environment["CURL_CA_BUNDLE"] ||
      undefined;
    if (place === undefined) return {};
    const extra = environment["NODE_EXTRA_CA_CERTS"];
    const texts = [readAuthorities(place)];
    // Given for this runtime, so it holds beside whatever else is said.
    if (extra !== undefined && extra !== "" && extra !== place) {
      texts.push(readQuietly(extra));
    }
    return { ca: texts.join("\n") };
  }

  #identity(): TlsOptions {
    const { clientCert, clientKey } = this.#settings;
    if (clientCert === undefined) return {};
    const cert = readPem(clientCert);
    return { cert, key: clientKey === undefined ? cert : readPem(clientKey) };
  }
}

function readAuthorities(place: string): string {
  try {
    if (!statSync(place).isDirectory()) return readFileSync(place, "utf8");
    const files = readdirSync(place).filter((name) => /\.(pem|crt|cer)$/i.test(name));
    return files.map((name) => readFileSync(join(place, name), "utf8")).join("\n");
  } catch (error) {
    throw unreadable(place, error);
  }
}

function readPem(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function unreadable(path: string, error: unknown): Fault {
  return new Fault({
    code: "E_CONFIG",
    message: `Cannot read the certificates in "${path}": ${reasonOf(error)}`,
    hint: "look at cert, client_cert, PIP_CERT, SSL_CERT_FILE and REQUESTS_CA_BUNDLE",
  });
}
