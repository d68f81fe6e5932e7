import { basename } from "node:path";
import { integrityFault } from "./faults.ts";
import { threadInflater } from "./inflate.ts";
import {
  inspectWheel,
  type RecordedFile,
  readWheelRecord,
  type WheelExpectation,
} from "./inspect.ts";
import { encodeManifest, type ManifestFile } from "./manifest.ts";
import { Staging } from "./staging.ts";
import { hasManifest, wheelPath } from "./store-layout.ts";
import { TreeWriter } from "./tree-writer.ts";
import { MemberReader, openZip } from "./zip.ts";
import { memberFault, type ZipMember } from "./zip-directory.ts";
import { ArchiveFile } from "./zip-file.ts";

/** A wheel to be unpacked into a store. Plain data: it crosses to workers. */
export interface UnpackJob {
  readonly archivePath: string;
  /** What the archive has to hash to, in hexadecimal; undefined: whatever it does. */
  readonly sha256: string | undefined;
  readonly expected: WheelExpectation;
  /** Takes the place of the same wheel, which has been changed since it was unpacked. */
  readonly replace?: boolean;
}

const FILE_MODE = 0o644;
const PROGRAM_MODE = 0o755;
const EXECUTABLE_BITS = 0o111;

/**
 * Verifies a wheel and unpacks it into a store, on the calling thread. The store holds all of it
 * afterwards, or nothing. Nothing is forced to the disk: after a power cut a wheel's files may be
 * empty, and the comparison with the manifest (verify.ts) finds them.
 *
 * @param store the folder of the format, as in store-layout.ts
 * @returns the archive's SHA-256 in hexadecimal
 * @throws {Fault} E_INTEGRITY, E_NO_SPACE, E_IO
 */
export function unpackWheel(store: string, job: UnpackJob): string {
  const label = job.expected.filename ?? basename(job.archivePath);
  using archive = new ArchiveFile(job.archivePath, label);
  const sha256 = archive.sha256();
  if (job.sha256 !== undefined && sha256 !== job.sha256) {
    throw integrityFault(label, `its SHA-256 is ${sha256}, expected was ${job.sha256}`);
  }
  const directory = openZip(archive);
  const reader = new MemberReader(archive, threadInflater());
  const inside = inspectWheel(label, directory, reader, job.expected);
  const recorded = readWheelRecord(label, directory, reader, inside.distInfo);
  const target = wheelPath(store, sha256);
  using staging = Staging.open(store);
  using writer = new TreeWriter(staging.tree.number, label);
  const files: ManifestFile[] = [];
  for (const member of directory.members) {
    if (member.isFolder) continue;
    files.push(writeMember({ label, reader, writer }, member, recorded.get(member.path)));
  }
  const { name, version, distInfo, dataFolder, rootIsPurelib, tags, warnings } = inside;
  const names = { name, version: version.toString(), distInfo, dataFolder, rootIsPurelib };
  staging.write("manifest", encodeManifest({ ...names, tags, warnings }, files, writer.folders));
  if (staging.publish(target)) return sha256;
  // Another process was faster, or what is there is damaged.
  if (job.replace !== true && hasManifest(target)) return sha256;
  staging.replace(store, target);
  return sha256;
}

type Unpacking = {
  readonly label: string;
  readonly reader: MemberReader;
  readonly writer: TreeWriter;
};

/** Writes a member to its place, and compares it with RECORD. */
function writeMember(
  { label, reader, writer }: Unpacking,
  member: ZipMember,
  recorded: RecordedFile | undefined,
): ManifestFile {
  const { path, mode, sizeBytes } = member;
  if (recorded?.sizeBytes !== undefined && recorded.sizeBytes !== sizeBytes) {
    throw memberFault(label, path, "its size is not what RECORD says");
  }
  const executable = (mode & EXECUTABLE_BITS) !== 0;
  const hasher = new Bun.CryptoHasher("sha256");
  const isOther = recorded !== undefined && recorded.algorithm !== "sha256";
  const second = isOther ? new Bun.CryptoHasher(recorded.algorithm) : hasher;
  const written = writer.write(path, executable ? PROGRAM_MODE : FILE_MODE, (sink) => {
    reader.read(member, (piece) => {
      hasher.update(piece);
      if (isOther) second.update(piece);
      sink(piece);
    });
  });
  const sha256 = hasher.digest("base64url");
  const digest = isOther ? second.digest("base64url") : sha256;
  if (recorded !== undefined && digest !== recorded.digest) {
    throw memberFault(label, path, "its hash is not what RECORD says");
  }
  return { path, sha256, executable, ...written };
}
