import { z } from "zod";

/** The port of the control plane where none is named. */
export const DEFAULT_PORT = 9031;

const hostList = z.array(z.string().min(1));

const tls = z
  .strictObject({
    enabled: z
      .boolean()
      .default(false)
      .describe(
        "Encrypt control and data (TLS 1.3). Without `certificate` the daemon makes one of its " +
          "own, which clients pin when they first meet it, as ssh does.",
      ),
    certificate: z.string().min(1).optional().describe("PEM file of the certificate chain."),
    key: z.string().min(1).optional().describe("PEM file of its key; others must not read it."),
    client_ca: z
      .string()
      .min(1)
      .optional()
      .describe("PEM file: only clients with a certificate that it signed may connect (mTLS)."),
  })
  .prefault({})
  .describe("Encryption.");

const delegation = z
  .strictObject({
    enabled: z
      .boolean()
      .default(true)
      .describe("Let clients ask this daemon to pull from another one, so data goes straight."),
    hosts: hostList
      .optional()
      .describe("The only daemons to pull from: addresses, networks or names. `[]` means none."),
  })
  .prefault({})
  .describe("Transfers between two daemons.");

const daemon = z
  .strictObject({
    bind: z
      .string()
      .min(1)
      .default("::")
      .describe("Address to listen on; `::` is every one, IPv4 too."),
    port: z
      .int()
      .min(0)
      .max(65_535)
      .default(DEFAULT_PORT)
      .describe("Port of the control connections; 0 lets the kernel choose."),
    data_port: z
      .int()
      .min(0)
      .max(65_535)
      .default(0)
      .describe("Port of the data connections; 0 lets the kernel choose."),
    motd: z.string().default("").describe("Told to clients that list the modules."),
    no_mdns: z.boolean().default(false).describe("Do not advertise the daemon in the network."),
    mdns_name: z.string().min(1).optional().describe("Advertised name; the host name otherwise."),
    root: z
      .string()
      .min(1)
      .optional()
      .describe("Folder behind `server://`. Without modules and root: the working folder."),
    root_read_only: z.boolean().default(false).describe("Nothing below `root` can be changed."),
    token_file: z
      .string()
      .min(1)
      .optional()
      .describe("Lines of `name:sha256 of the token in hex`: only who has a token may connect."),
    hosts_allow: hostList
      .optional()
      .describe("Only these may connect: addresses, networks (`10.0.0.0/8`), names, `*.domain`."),
    hosts_deny: hostList.default([]).describe("These may not, even if `hosts_allow` has them."),
    connections_max: z
      .int()
      .min(1)
      .max(65_535)
      .default(256)
      .describe("Control connections at the same time."),
    drain_seconds: z
      .int()
      .min(1)
      .max(86_400)
      .default(30)
      .describe("How long SIGTERM waits for running transfers before it ends them."),
    tls,
    delegation,
  })
  .prefault({})
  .describe("The daemon itself.");

const module = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._ -]{0,63}$/, "a name is letters, digits, dots, dashes")
    .describe("As in `server:/name/`."),
  path: z.string().startsWith("/", "must be an absolute path").describe("The folder."),
  comment: z.string().default("").describe("Told to clients that list the modules."),
  read_only: z.boolean().default(false).describe("Nothing in it can be changed."),
  use_chroot: z
    .boolean()
    .default(false)
    .describe(
      "Absolute symlinks are followed inside of the module. As root, its threads are confined to " +
        "the folder too.",
    ),
  run_as: z
    .string()
    .regex(/^([a-z_][a-z0-9_-]*\$?|\d+:\d+)$/, "must be a user name, or uid:gid")
    .optional()
    .describe("User whose rights the module's threads have, when the daemon is root."),
  users: z
    .array(z.string().min(1))
    .optional()
    .describe("Names of tokens, or `sha256:…` of client certificates, that may use it."),
  hosts_allow: hostList.optional().describe("As in `[daemon]`, for this module."),
  hosts_deny: hostList.default([]).describe("As in `[daemon]`, for this module."),
  connections_max: z.int().min(1).max(65_535).default(64).describe("Transfers at the same time."),
});

/**
 * `config.toml` of blitd: type, checks, defaults and reference page in one. A limit of zero is an
 * error: it never means "no limit".
 */
export const daemonConfigSchema = z.strictObject({
  daemon,
  module: z.array(module).default([]).describe("A folder that is offered under a name."),
});

/** A checked config file. */
export type DaemonConfig = z.output<typeof daemonConfigSchema>;
