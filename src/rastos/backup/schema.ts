import { z } from "zod";

const count = z.number().int().min(0).max(10_000);
const oneLine = z
  .string()
  .min(1)
  .regex(/^[^\p{Cc}]*$/u, { error: "must be a single line" });

const storage = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("Local"),
    path: oneLine.default("/var/lib/rast/backups").describe("Folder of the backups."),
  }),
  z.strictObject({
    type: z.literal("S3"),
    bucket: oneLine.describe("Name of the bucket."),
    region: oneLine.default("us-east-1").describe("Its region."),
    endpoint: z.url().optional().describe("Address of a compatible server; without it AWS."),
    access_key_id: oneLine.optional().describe("Without it AWS_ACCESS_KEY_ID."),
    secret_access_key: oneLine.optional().describe("Without it AWS_SECRET_ACCESS_KEY."),
    prefix: z.string().default("").describe("Put before the names of all objects."),
  }),
]);

/** backup.toml as the code of the original reads it; the one that is written too. */
export const backupSchema = z.strictObject({
  storage: storage.default({ type: "Local", path: "/var/lib/rast/backups" }),
  encryption: z
    .strictObject({
      enabled: z.boolean().default(false).describe("Encrypt all objects."),
      key_path: oneLine.default("/etc/rast/backup.key").describe("File with the key."),
      algorithm: z
        .enum(["AES-256-GCM", "Aes256Gcm"])
        .default("AES-256-GCM")
        .describe("There is only one."),
    })
    .prefault({}),
  retention: z
    .strictObject({
      keep_last: count.optional().describe("Keep the newest."),
      keep_daily: count.optional().describe("Keep the newest of each of so many days."),
      keep_weekly: count.optional().describe("The same of weeks."),
      keep_monthly: count.optional().describe("The same of months."),
      keep_yearly: count.optional().describe("The same of years."),
    })
    .prefault({}),
  performance: z
    .strictObject({
      max_parallel_uploads: z.number().int().min(1).max(64).default(4),
      chunk_size: z
        .number()
        .int()
        .min(64 * 1024)
        .max(256 * 1024 * 1024)
        .default(8 * 1024 * 1024)
        .describe("Bytes of a piece."),
      compression: z.boolean().default(true).describe("Compress by zstd."),
      compression_level: z.number().int().min(1).max(22).default(3),
      max_bandwidth: z.number().int().min(1).optional().describe("Bytes per second."),
    })
    .prefault({}),
});

const documentedRetention = z.strictObject({
  daily: count.optional(),
  weekly: count.optional(),
  monthly: count.optional(),
  yearly: count.optional(),
  keep_last: count.optional(),
});

/** The shape of the original's page on cloud backups: `[s3]` and short names of retention. */
export const cloudSchema = z.strictObject({
  s3: z.strictObject({
    bucket: oneLine,
    region: oneLine.default("us-east-1"),
    endpoint: z.url().optional(),
    access_key_id: oneLine.optional(),
    secret_access_key: oneLine.optional(),
    prefix: z.string().default(""),
  }),
  encryption: backupSchema.shape.encryption,
  retention: documentedRetention.prefault({}),
});

/** The other shape of its documents: all below `[backup]`. */
export const providerSchema = z.strictObject({
  backup: z.strictObject({
    provider: z.enum(["local", "s3", "aws", "minio"]).default("local"),
    path: oneLine.optional(),
    bucket: oneLine.optional(),
    region: oneLine.default("us-east-1"),
    endpoint: z.url().optional(),
    access_key_id: oneLine.optional(),
    secret_access_key: oneLine.optional(),
    prefix: z.string().default(""),
    encryption: z.boolean().optional(),
    key_path: oneLine.optional(),
    retention: documentedRetention.prefault({}),
    schedule: z
      .strictObject({ interval: oneLine.optional(), time: oneLine.optional() })
      .optional()
      .describe("Read and not used: a timer runs `rastos backup create`."),
  }),
});
