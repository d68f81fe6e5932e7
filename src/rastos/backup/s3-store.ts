import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import type { ObjectStore, StorageConfig, StoredObject } from "./types.ts";

type S3Config = Extract<StorageConfig, { readonly kind: "s3" }>;

/** Objects in a bucket of S3, or of a server that is compatible with it. */
export function s3Store(config: S3Config): ObjectStore {
  const { bucket, region, endpoint, accessKeyId, secretAccessKey, prefix } = config;
  const client = new Bun.S3Client({
    bucket,
    region,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId === undefined ? {} : { accessKeyId }),
    ...(secretAccessKey === undefined ? {} : { secretAccessKey }),
  });
  const place = `s3://${bucket}/${prefix}`;
  return {
    name: place,
    put: (name, bytes) =>
      tell(`write "${place}${name}"`, async () => {
        await client.write(prefix + name, bytes);
      }),
    get: (name) =>
      tell(`read "${place}${name}"`, async () => await client.file(prefix + name).bytes()),
    list: (below) => tell(`list "${place}${below}"`, () => listAll(client, prefix, below)),
    remove: (name) =>
      tell(`remove "${place}${name}"`, async () => {
        await client.delete(prefix + name);
      }),
  };
}

async function listAll(
  client: Bun.S3Client,
  prefix: string,
  below: string,
): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  let continuationToken: string | undefined;
  do {
    const page = await client.list({
      prefix: prefix + below,
      maxKeys: 1000,
      ...(continuationToken === undefined ? {} : { continuationToken }),
    });
    for (const { key, size, lastModified } of page.contents ?? []) {
      const name = key.slice(prefix.length);
      const writtenMs = lastModified === undefined ? Date.now() : Date.parse(String(lastModified));
      found.push({ name, bytes: size ?? 0, writtenMs });
    }
    continuationToken = page.isTruncated === true ? page.nextContinuationToken : undefined;
  } while (continuationToken !== undefined);
  return found;
}

const CONNECTION_FAILURES: Readonly<Record<string, string>> = {
  ConnectionRefused: "the connection was refused",
  ConnectionClosed: "the connection was closed",
  DNSResolveFailed: "the name of the server is not known",
  Timeout: "the server does not answer",
};

/** Refusals of the server in words; what it says never holds the secret. */
async function tell<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Fault) throw error;
    const code = (error as { code?: string }).code ?? "";
    const message = `Cannot ${what}: ${reasonOf(error)}`;
    if (code === "NoSuchKey") throw new Fault({ code: "E_NOT_FOUND", message });
    const isRefused = /AccessDenied|InvalidAccessKeyId|SignatureDoesNotMatch|MISSING_CREDENTIALS/;
    if (isRefused.test(code)) {
      const hint = "look at access_key_id and secret_access_key, and at what the key may do";
      throw new Fault({ code: "E_AUTH", message, hint });
    }
    // Of connections Bun says in its code alone what was wrong.
    const why = CONNECTION_FAILURES[code];
    if (why === undefined) throw new Fault({ code: "E_NETWORK", message });
    throw new Fault({
      code: "E_NETWORK",
      message: `Cannot ${what}: ${why}`,
      hint: "is the endpoint in backup.toml right, and does the server run?",
    });
  }
}
