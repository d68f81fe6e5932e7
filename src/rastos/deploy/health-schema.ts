import { z } from "zod";

/** `health.toml`: what must hold before a deployment that has booted counts as good. */

const seconds = z.number().min(0.1).max(3600);
const common = {
  name: z.string().min(1).optional().describe("For messages; default: what is checked"),
  timeout: seconds.default(10).describe("Seconds that one try may take"),
  retries: z
    .int()
    .min(0)
    .max(1000)
    .optional()
    .describe("Tries after the first; default: until the time for all checks is over"),
  interval: seconds.default(1).describe("Seconds between two tries"),
};
const word = z.string().min(1);

const check = z.union([
  z.strictObject({
    ...common,
    command: z.union([word, z.array(word).min(1)]).describe("Ends with 0; a text is run by sh"),
  }),
  z.strictObject({ ...common, service: word.describe("Is up, in rinit or systemd") }),
  z.strictObject({
    ...common,
    tcp: z
      .string()
      .regex(/^(\[[0-9A-Fa-f:.]+\]|[^:[\]]+):\d{1,5}$/, { error: 'must be "host:port"' })
      .describe("Takes a connection"),
  }),
  z.strictObject({
    ...common,
    http: z.url({ protocol: /^https?$/ }).describe("Answers"),
    status: z.int().min(100).max(599).default(200).describe("With this status"),
  }),
  z.strictObject({
    ...common,
    file: z.string().regex(/^\//, { error: "must be an absolute path" }).describe("Exists"),
  }),
]);

/** The schema of health.toml. */
export const healthSchema = z.strictObject({
  timeout: seconds.default(120).describe("Seconds in which all checks must have passed"),
  services: z
    .boolean()
    .default(true)
    .describe("Whether every service that rinit has enabled must be up"),
  check: z.array(check).max(100).default([]).describe("What is checked, all at once"),
});

/** Settings of health.toml. */
export type HealthSettings = z.output<typeof healthSchema>;

/** One check of health.toml. */
export type HealthCheck = HealthSettings["check"][number];
