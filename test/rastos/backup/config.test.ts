import { expect, test } from "bun:test";
import { readBackupConfig } from "../../../src/rastos/backup/config.ts";
import { createWorkspace } from "../../support/workspace.ts";

async function read(text: string) {
  using work = createWorkspace();
  return await readBackupConfig(work.write("backup.toml", text));
}

async function messageOf(text: string): Promise<string> {
  try {
    await read(text);
  } catch (error) {
    return String((error as Error).message);
  }
  return "none";
}

test("the shape that the original's code reads", async () => {
  const { config } = await read(`
[storage]
type = "S3"
bucket = "b"
region = "eu-central-1"
endpoint = "http://127.0.0.1:9000"
access_key_id = "id"
secret_access_key = "secret"
[encryption]
enabled = true
key_path = "/k"
algorithm = "AES-256-GCM"
[retention]
keep_daily = 7
keep_weekly = 4
[performance]
max_parallel_uploads = 2
chunk_size = 1048576
compression = false
max_bandwidth = 1000000
`);
  expect(config).toEqual({
    storage: {
      kind: "s3",
      bucket: "b",
      region: "eu-central-1",
      endpoint: "http://127.0.0.1:9000",
      accessKeyId: "id",
      secretAccessKey: "secret",
      prefix: "",
    },
    keyPath: "/k",
    retention: { last: undefined, daily: 7, weekly: 4, monthly: undefined, yearly: undefined },
    uploads: 2,
    chunkBytes: 1_048_576,
    compressionLevel: undefined,
    bytesPerSecond: 1_000_000,
  });
  expect((await read("")).config.storage).toEqual({ kind: "local", path: "/var/lib/rast/backups" });
});

test("the two shapes of the original's documents", async () => {
  const cloud = await read('[s3]\nbucket = "b"\n[retention]\ndaily = 7\nkeep_last = 2\n');
  expect(cloud.config).toMatchObject({
    storage: { kind: "s3", bucket: "b" },
    retention: { last: 2, daily: 7 },
  });
  const provider = await read(`
[backup]
provider = "s3"
bucket = "b"
[backup.retention]
keep_last = 3
[backup.schedule]
interval = "daily"
time = "02:00"
`);
  expect(provider.config).toMatchObject({ storage: { bucket: "b" }, retention: { last: 3 } });
  expect(provider.notes).toEqual([
    "backup.schedule is not used: let a timer run `rastos backup create`",
  ]);
});

test("what is wrong is named with its line", async () => {
  expect(await messageOf('[storage]\ntype = "Local"\npth = "/x"\n')).toMatch(
    /backup\.toml:3.*"(storage\.)?pth"/s,
  );
  expect(await messageOf('[backup]\nprovider = "s3"\n')).toContain("backup.bucket is missing");
});
