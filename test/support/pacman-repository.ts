import { mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type ArchiveMember, archiveOf } from "./package-archive.ts";

/** A file of a package that is more than its text. */
export interface PackageEntry {
  readonly content?: string | Uint8Array;
  /** Permission bits; 0o644 for files, 0o755 for folders by default. */
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** Makes it a symbolic link to this text. */
  readonly symlink?: string;
  /** Makes it a second name of another file of the package. */
  readonly hardlink?: string;
  readonly folder?: true;
}

/** A package to make. */
export interface PackageSpec {
  readonly name: string;
  /** With release and, where wanted, epoch: `1.0-1`, `2:1.0-1`. */
  readonly version: string;
  /** By path, without a slash at the start; the folders above are added. */
  readonly files?: Readonly<Record<string, string | Uint8Array | PackageEntry>>;
  readonly base?: string;
  readonly description?: string;
  readonly arch?: string;
  readonly url?: string;
  readonly licenses?: readonly string[];
  readonly groups?: readonly string[];
  readonly depends?: readonly string[];
  /** `name: what for`. */
  readonly optdepends?: readonly string[];
  readonly makedepends?: readonly string[];
  readonly provides?: readonly string[];
  readonly conflicts?: readonly string[];
  readonly replaces?: readonly string[];
  /** Configuration files that an upgrade keeps. */
  readonly backup?: readonly string[];
  /** The .install file: a shell script with functions such as post_install. */
  readonly script?: string;
}

/** A package that lies in a folder. */
export interface PackageFile {
  readonly path: string;
  readonly spec: PackageSpec;
}

/** Who signs, by gpg. */
export interface Signer {
  /** GNUPGHOME with a secret key. */
  readonly gpgFolder: string;
  /** Fingerprint or id. */
  readonly key: string;
}

export interface RepositoryOptions {
  readonly name?: string;
  /** Who writes the database: we (fast), or repo-add. */
  readonly database?: "written" | "repo-add";
  /** Signs the packages. */
  readonly signer?: Signer;
  /** Signs the database too. */
  readonly signsDatabase?: boolean;
}

/** A repository to put into `repositories` or a pacman.conf. */
export interface TestRepository {
  readonly name: string;
  readonly servers: readonly string[];
  readonly folder: string;
  readonly packages: readonly PackageFile[];
}

/** The build time of every package, in seconds since 1970. */
export const BUILD_TIME_SECONDS = 1_700_000_000;
const PACKAGER = "Test <test@example.org>";

/** Writes `NAME-VERSION-ARCH.pkg.tar.zst`, what makepkg would, in a few milliseconds. */
export function makePackage(folder: string, spec: PackageSpec): PackageFile {
  const payload = membersOf(spec);
  const head = [
    [".BUILDINFO", buildInfoOf(spec)],
    [".INSTALL", spec.script],
    [".PKGINFO", packageInfoOf(spec, payload)],
  ] as const;
  const metadata = head.flatMap(([path, text]) => (text === undefined ? [] : [fileOf(path, text)]));
  const tree = fileOf(".MTREE", Bun.gzipSync(Buffer.from(mtreeOf([...metadata, ...payload]))));
  const members = [...metadata.slice(0, -1), tree, ...metadata.slice(-1), ...payload];
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${spec.name}-${spec.version}-${spec.arch ?? "any"}.pkg.tar.zst`);
  const bytes = archiveOf(members, BUILD_TIME_SECONDS);
  writeFileSync(path, Bun.zstdCompressSync(bytes as Uint8Array<ArrayBuffer>, { level: 1 }));
  return { path, spec };
}

/**
 * Makes the packages and the database of a repository (`test.db`, `test.db.tar.gz`) in a folder;
 * once more into the same folder replaces the database.
 */
export function makeRepository(
  folder: string,
  specs: readonly PackageSpec[],
  options: RepositoryOptions = {},
): TestRepository {
  const name = options.name ?? "test";
  const packages = specs.map((spec) => makePackage(folder, spec));
  for (const { path } of packages) {
    if (options.signer !== undefined) signFile(path, options.signer);
  }
  const database = join(folder, `${name}.db.tar.gz`);
  if (options.database === "repo-add") {
    run(["rm", "-f", database]);
    run(["repo-add", "-q", database, ...packages.map(({ path }) => path)]);
  } else {
    writeDatabase(folder, name, packages);
  }
  if (options.signer !== undefined && options.signsDatabase === true) {
    signFile(join(folder, `${name}.db`), options.signer);
  }
  return { name, servers: [`file://${folder}`], folder, packages };
}

/** Makes a GNUPGHOME with one key, without passphrase, that it trusts itself. */
export function makeSigner(gpgFolder: string, name = "Test Signer"): Signer {
  mkdirSync(gpgFolder, { recursive: true, mode: 0o700 });
  const gpg = ["gpg", "--homedir", gpgFolder, "--batch", "--quiet"];
  const user = `${name} <signer@example.org>`;
  run([...gpg, "--passphrase", "", "--quick-generate-key", user, "ed25519", "sign", "never"]);
  const listed = run([...gpg, "--with-colons", "--list-keys"]);
  const key = /^fpr:+([0-9A-F]+):/m.exec(listed)?.[1];
  if (key === undefined) throw new Error(`gpg made no key: ${listed}`);
  return { gpgFolder, key };
}

/** Writes `path.sig`. */
export function signFile(path: string, signer: Signer): void {
  const gpg = ["gpg", "--homedir", signer.gpgFolder, "--batch", "--yes", "--quiet"];
  run([...gpg, "--local-user", signer.key, "--detach-sign", "-o", `${path}.sig`, path]);
}

/** The text of `desc` in a repository's database, in the order of repo-add. */
export function databaseEntryOf(file: PackageFile): string {
  const { spec, path } = file;
  const bytes = readFileSync(path);
  const md5 = new Bun.CryptoHasher("md5").update(bytes).digest("hex");
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  const signature = attempt(() => readFileSync(`${path}.sig`).toString("base64"));
  const size = installedSize(membersOf(spec));
  const fields: readonly (readonly [string, readonly string[]])[] = [
    ["FILENAME", [basename(path)]],
    ["NAME", [spec.name]],
    ["BASE", [spec.base ?? spec.name]],
    ["VERSION", [spec.version]],
    ["DESC", [descriptionOf(spec)]],
    ["GROUPS", spec.groups ?? []],
    ["CSIZE", [String(statSync(path).size)]],
    ["ISIZE", [String(size)]],
    ["MD5SUM", [md5]],
    ["SHA256SUM", [sha256]],
    ["PGPSIG", signature === undefined ? [] : [signature]],
    ["URL", [spec.url ?? "https://example.org"]],
    ["LICENSE", spec.licenses ?? ["MIT"]],
    ["ARCH", [spec.arch ?? "any"]],
    ["BUILDDATE", [String(BUILD_TIME_SECONDS)]],
    ["PACKAGER", [PACKAGER]],
    ["REPLACES", spec.replaces ?? []],
    ["CONFLICTS", spec.conflicts ?? []],
    ["PROVIDES", spec.provides ?? []],
    ["DEPENDS", spec.depends ?? []],
    ["OPTDEPENDS", spec.optdepends ?? []],
    ["MAKEDEPENDS", spec.makedepends ?? []],
  ];
  const filled = fields.filter(([, values]) => values.length > 0);
  return filled.map(([key, values]) => `%${key}%\n${values.join("\n")}\n\n`).join("");
}

function writeDatabase(folder: string, name: string, packages: readonly PackageFile[]): void {
  const members: ArchiveMember[] = [];
  for (const file of packages) {
    const entry = `${file.spec.name}-${file.spec.version}`;
    members.push(member(entry, { folder: true }), fileOf(`${entry}/desc`, databaseEntryOf(file)));
  }
  const bytes = Bun.gzipSync(archiveOf(members, BUILD_TIME_SECONDS) as Uint8Array<ArrayBuffer>);
  // Two files in place of repo-add's link: one can be signed or damaged without the other.
  // Fetchers look at the time, in whole seconds: a new one is always later than the one before.
  databaseSeconds = Math.max(databaseSeconds + 1, Math.floor(Date.now() / 1000));
  for (const file of [`${name}.db.tar.gz`, `${name}.db`]) {
    const path = join(folder, file);
    writeFileSync(path, bytes);
    utimesSync(path, databaseSeconds, databaseSeconds);
  }
}

let databaseSeconds = 0;

function membersOf(spec: PackageSpec): ArchiveMember[] {
  const members = new Map<string, ArchiveMember>();
  for (const [path, value] of Object.entries(spec.files ?? {})) {
    const parts = path.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const above = parts.slice(0, depth).join("/");
      if (!members.has(above)) members.set(above, member(above, { folder: true }));
    }
    const isText = typeof value === "string" || value instanceof Uint8Array;
    members.set(path, member(path, isText ? { content: value } : value));
  }
  return [...members.values()].sort((a, b) => Buffer.compare(bytesOf(a.path), bytesOf(b.path)));
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text);
}

function member(path: string, entry: PackageEntry): ArchiveMember {
  const kind =
    entry.symlink !== undefined
      ? "symlink"
      : entry.hardlink !== undefined
        ? "hardlink"
        : entry.folder === true
          ? "folder"
          : "file";
  const usual = { symlink: 0o777, folder: 0o755, file: 0o644, hardlink: 0o644 }[kind];
  return {
    path,
    kind,
    content: Buffer.from(entry.content ?? ""),
    target: entry.symlink ?? entry.hardlink ?? "",
    mode: entry.mode ?? usual,
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
  };
}

function fileOf(path: string, content: string | Uint8Array): ArchiveMember {
  return member(path, { content });
}

function installedSize(members: readonly ArchiveMember[]): number {
  return members.reduce(
    (sum, { kind, content }) => sum + (kind === "file" ? content.length : 0),
    0,
  );
}

function descriptionOf(spec: PackageSpec): string {
  return spec.description ?? `Package ${spec.name} of a test`;
}

function packageInfoOf(spec: PackageSpec, members: readonly ArchiveMember[]): string {
  const many = (key: string, values: readonly string[] = []): string[] =>
    values.map((value) => `${key} = ${value}`);
  return `${[
    `pkgname = ${spec.name}`,
    `pkgbase = ${spec.base ?? spec.name}`,
    `pkgver = ${spec.version}`,
    `pkgdesc = ${descriptionOf(spec)}`,
    `url = ${spec.url ?? "https://example.org"}`,
    `builddate = ${BUILD_TIME_SECONDS}`,
    `packager = ${PACKAGER}`,
    `size = ${installedSize(members)}`,
    `arch = ${spec.arch ?? "any"}`,
    ...many("license", spec.licenses ?? ["MIT"]),
    ...many("replaces", spec.replaces),
    ...many("group", spec.groups),
    ...many("conflict", spec.conflicts),
    ...many("provides", spec.provides),
    ...many("backup", spec.backup),
    ...many("depend", spec.depends),
    ...many("optdepend", spec.optdepends),
    ...many("makedepend", spec.makedepends),
  ].join("\n")}\n`;
}

function buildInfoOf(spec: PackageSpec): string {
  return `${[
    "format = 2",
    `pkgname = ${spec.name}`,
    `pkgbase = ${spec.base ?? spec.name}`,
    `pkgver = ${spec.version}`,
    `pkgarch = ${spec.arch ?? "any"}`,
    `packager = ${PACKAGER}`,
    `builddate = ${BUILD_TIME_SECONDS}`,
    "buildtool = makepkg",
  ].join("\n")}\n`;
}

/** The list of files with their hashes, mtree(5). */
function mtreeOf(members: readonly ArchiveMember[]): string {
  const lines = ["#mtree", "/set type=file uid=0 gid=0 mode=644"];
  const contents = new Map(members.map(({ path, content }) => [path, content]));
  for (const { path, kind, content, target, mode, uid, gid } of members) {
    const words = [`./${escaped(path)}`, `time=${BUILD_TIME_SECONDS}.0`];
    if (mode !== 0o644) words.push(`mode=${mode.toString(8)}`);
    if (uid !== 0) words.push(`uid=${uid}`);
    if (gid !== 0) words.push(`gid=${gid}`);
    if (kind === "folder") words.push("type=dir");
    else if (kind === "symlink") words.push("type=link", `link=${escaped(target)}`);
    else {
      const bytes = kind === "file" ? content : (contents.get(target) ?? content);
      const hash = (name: "md5" | "sha256") => new Bun.CryptoHasher(name).update(bytes);
      words.push(`size=${bytes.length}`, `md5digest=${hash("md5").digest("hex")}`);
      words.push(`sha256digest=${hash("sha256").digest("hex")}`);
    }
    lines.push(words.join(" "));
  }
  return `${lines.join("\n")}\n`;
}

function escaped(text: string): string {
  const isPlain = (byte: number): boolean =>
    byte > 0x20 && byte < 0x7f && !"#=\\".includes(String.fromCharCode(byte));
  const octal = (byte: number): string => `\\${byte.toString(8).padStart(3, "0")}`;
  return [...Buffer.from(text)]
    .map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : octal(byte)))
    .join("");
}

function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

function run(command: readonly string[]): string {
  const result = Bun.spawnSync([...command], { stdout: "pipe", stderr: "pipe" });
  if (!result.success) throw new Error(`${command.join(" ")}: ${result.stderr.toString()}`);
  return result.stdout.toString();
}
