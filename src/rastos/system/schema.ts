import { z } from "zod";

/**
 * `system.toml`: type, checks, defaults and reference page in one. What a file does not name stays
 * as it is in the system, so no default here changes anything by itself.
 */

/** A package as pacman takes it: a name, and perhaps a bound on its version (`name>=1.2`). */
const packageSpec = z
  .string()
  .regex(/^[A-Za-z0-9@_+][A-Za-z0-9@._+-]*([<>]?=[A-Za-z0-9:._+~-]+|[<>][A-Za-z0-9:._+~-]+)?$/, {
    error: 'must be a package, as "name" or "name>=1.2"',
  });

const plainName = z.string().regex(/^[A-Za-z0-9@_+][A-Za-z0-9@._+-]*$/, {
  error: "must be the name of a package or a group",
});

const aurSpec = z.string().regex(/^[A-Za-z0-9@_+][A-Za-z0-9@._+-]*(#[0-9a-f]{7,40})?$/, {
  error: 'must be a package of the AUR, as "name" or "name#commit"',
});

/** As useradd(8) wants it; the kernel and the C library take more, other programs do not. */
const accountName = z.string().regex(/^[a-z_][a-z0-9_-]{0,30}$/, {
  error: 'must be made of a-z, 0-9, "_" and "-", begin with a letter and have 31 at most',
});

/** Fields of passwd(5) end at a colon or a line end. */
const passwdField = z.string().regex(/^[^:\p{Cc}]*$/u, { error: 'must not hold ":" or line ends' });

const absolutePath = z.string().regex(/^\/(?!.*(?:^|\/)\.\.?(?:\/|$))[^:\p{Cc}]*$/u, {
  error: 'must be an absolute path without ".."',
});

const oneLine = z.string().regex(/^[^\p{Cc}]+$/u, { error: "must be a single line" });

/** crypt(5): `$6$salt$hash` and its relatives, or a lock of passwd(1). */
export const passwordHashSchema = z.string().regex(/^(\$[0-9a-z]{1,8}\$[^:\s]{8,}|!|\*|!\*)$/, {
  error: 'must be a hash by `openssl passwd -6`, or "!" to lock the account',
});

/** A line of authorized_keys (sshd(8)). */
export const sshKeySchema = z
  .string()
  .regex(
    /^(?:[^\p{Cc}#]*\s)?(ssh-|ecdsa-|sk-)[a-z0-9@.-]+ [A-Za-z0-9+/]{40,}={0,3}( [^\p{Cc}]*)?$/u,
    {
      error: 'must be a public key, as "ssh-ed25519 AAAA… name"',
    },
  );

const serviceName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9@:._\\-]*$/, {
  error: "must be the name of a service",
});

const command = z.string().min(1, { error: "must be a command" });

const systemTable = z
  .strictObject({
    hostname: z
      .string()
      .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i, {
        error: "must be a host name: letters, digits and hyphens, 63 at most between dots",
      })
      .max(64, { error: "must have 64 characters at most" })
      .optional()
      .describe("Written to `/etc/hostname`."),
    locale: z
      .string()
      .regex(/^[A-Za-z]{1,8}(_[A-Z]{2,3})?(\.[A-Za-z0-9-]+)?(@[A-Za-z0-9]+)?$/, {
        error: 'must be a locale, as "en_US.UTF-8"',
      })
      .optional()
      .describe("`LANG` of `/etc/locale.conf`; its line in `/etc/locale.gen` is switched on."),
    locales: z
      .array(
        z.string().regex(/^[A-Za-z]{1,8}(_[A-Z]{2,3})?(\.[A-Za-z0-9-]+)?(@[A-Za-z0-9]+)?$/, {
          error: 'must be a locale, as "en_US.UTF-8"',
        }),
      )
      .default([])
      .describe("Further locales to switch on in `/etc/locale.gen`."),
    timezone: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9][A-Za-z0-9_+-]*){0,2}$/, {
        error: 'must be a time zone, as "Europe/Berlin"',
      })
      .optional()
      .describe("Where `/etc/localtime` points to, below `/usr/share/zoneinfo`."),
    keymap: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._+-]*$/, { error: 'must be a key map, as "de-latin1"' })
      .optional()
      .describe("`KEYMAP` of `/etc/vconsole.conf`."),
  })
  .prefault({})
  .describe("The machine as a whole.");

const packagesTable = z
  .strictObject({
    official: z
      .array(packageSpec)
      .default([])
      .describe('Packages of the repositories: `"vim"`, `"nginx>=1.24"`.'),
    aur: z
      .array(aurSpec)
      .default([])
      .describe('Packages of the AUR, built here; `"name#commit"` pins the recipe.'),
    groups: z.array(plainName).default([]).describe("Groups, all of whose packages are wanted."),
    ignored: z
      .array(plainName)
      .default([])
      .describe("Packages and groups that are neither installed nor upgraded nor removed."),
    undeclared: z
      .enum(["keep", "remove"])
      .default("keep")
      .describe(
        "What becomes of packages that somebody installed by name and that no file has ever " +
          "declared. What was declared and is no more is always removed.",
      ),
  })
  .prefault({})
  .describe("What is installed, beside what that depends on.");

const repositoryTable = z.strictObject({
  name: z
    .string()
    .regex(/^(?!options$|local$)[A-Za-z0-9@_+][A-Za-z0-9@._+-]*$/, {
      error: "must be the name of a repository",
    })
    .describe("Name of the database."),
  servers: z
    .array(
      oneLine.regex(/^(https?|ftp|file):\/\/\S+$/, {
        error: "must be an address with http, https, ftp or file",
      }),
    )
    .min(1, { error: "must name a server" })
    .describe("Addresses, tried in order; `$repo` and `$arch` are put in as pacman does."),
  siglevel: oneLine
    .regex(/^((Package|Database)?(Never|Optional|Required|TrustedOnly|TrustAll)\s*)+$/, {
      error: 'must be a level of pacman, as "Required DatabaseOptional"',
    })
    .optional()
    .describe("Signatures, as pacman.conf(5) says it; none: `Required DatabaseOptional`."),
});

const servicesTable = z
  .strictObject({
    init: z
      .enum(["rinit", "systemd"])
      .default("rinit")
      .describe("Who starts the services: rastOS' own init, or systemd."),
    enable: z.array(serviceName).default([]).describe("Services that start with the system."),
    disable: z.array(serviceName).default([]).describe("Services that must not."),
  })
  .prefault({})
  .describe("Services. What is in neither list stays as its package has it.");

/** One of `[[users]]`. */
export const userSchema = z.strictObject({
  name: z.string().pipe(accountName).describe("Name of the account."),
  uid: z
    .int({ error: "must be a whole number" })
    .min(0)
    .max(4_294_967_293)
    .optional()
    .describe("Its number; none: the first free one from 1000, and the same ever after."),
  groups: z
    .array(accountName)
    .default([])
    .describe("Further groups; one that does not exist is made. Exactly these are kept."),
  shell: absolutePath.optional().describe("Login shell; none: `/bin/bash`, or `/bin/sh`."),
  home: absolutePath.optional().describe("Home folder; none: `/home/NAME`."),
  comment: passwdField.optional().describe("Full name."),
  ssh_keys: z
    .array(sshKeySchema)
    .optional()
    .describe("Public keys that may log in: the whole of `.ssh/authorized_keys`."),
  password_hash: passwordHashSchema
    .optional()
    .describe(
      "Hash of the password (crypt(5), by `openssl passwd -6`), never the password itself; " +
        "none: a new account is locked, and another one stays as it is.",
    ),
});

const kernelTable = z
  .strictObject({
    package: plainName.optional().describe("Package with the kernel; it is installed too."),
    profile: z
      .enum(["container-host", "development", "production", "tiny"])
      .optional()
      .describe("Build the kernel here by this profile instead."),
    source: absolutePath
      .default("/usr/src/linux")
      .describe("Folder with the sources that `profile` is built from."),
    cmdline: oneLine.optional().describe("Further words for the kernel's command line."),
  })
  .prefault({})
  .describe("The kernel.");

const bootTable = z
  .strictObject({
    loader: z.enum(["systemd-boot", "grub"]).default("systemd-boot").describe("Boot loader."),
    timeout: z
      .int({ error: "must be a whole number" })
      .min(0)
      .max(300)
      .default(3)
      .describe("Seconds for which the menu is shown."),
    tries: z
      .int({ error: "must be a whole number" })
      .min(0)
      .max(99)
      .default(3)
      .describe("Boots that a new deployment has to prove itself; 0: it counts as good at once."),
  })
  .prefault({})
  .describe("How it boots.");

const hooksTable = z
  .strictObject({
    pre_install: z
      .array(command)
      .default([])
      .describe("Shell commands in the new system, before its packages change."),
    post_install: z
      .array(command)
      .default([])
      .describe("Shell commands in the new system, after packages and settings."),
  })
  .prefault({})
  .describe("Commands that run in the new snapshot. One that fails discards it.");

/** A whole system.toml. */
export const systemSchema = z.strictObject({
  system: systemTable,
  packages: packagesTable,
  repositories: z
    .array(repositoryTable)
    .default([])
    .describe("Repositories, in order of preference. None: those of the system's pacman.conf."),
  services: servicesTable,
  users: z
    .array(userSchema)
    .default([])
    .describe("Accounts. One that was declared and is no more is removed; its home folder stays."),
  kernel: kernelTable,
  boot: bootTable,
  hooks: hooksTable,
});

/** The original's package list: `packages = [{ name = "vim", source = "official" }]`. */
export const packageListSchema = z.strictObject({
  packages: z
    .array(
      z.strictObject({
        name: z.string().pipe(plainName),
        version: z
          .string()
          .regex(/^[A-Za-z0-9:._+~-]+$/, { error: "must be a version" })
          .optional(),
        source: z.enum(["official", "aur"]).optional(),
        options: z.array(z.string()).default([]),
      }),
    )
    .default([]),
  pre_install: z.array(command).default([]),
  post_install: z.array(command).default([]),
});
