import { basename } from "node:path";
import { threadInflater } from "./inflate.ts";
import { findDistInfo, memberAt } from "./inspect.ts";
import { MemberReader, openZip } from "./zip.ts";
import type { ZipDirectory } from "./zip-directory.ts";
import { ArchiveFile } from "./zip-file.ts";

/** Single members of wheels that lie on the disk. */

/**
 * The content of one member.
 * @throws {Fault} E_INTEGRITY, also where there is no such member; E_IO
 */
export function readWheelMember(archivePath: string, path: string): Uint8Array {
  return read(archivePath, () => path);
}

/**
 * The METADATA of a wheel, without unpacking or verifying the rest.
 * @throws {Fault} E_INTEGRITY or E_IO
 */
export function readWheelMetadata(archivePath: string): string {
  const bytes = read(archivePath, (label, directory) => {
    return `${findDistInfo(label, directory)}/METADATA`;
  });
  return new TextDecoder().decode(bytes);
}

function read(
  archivePath: string,
  choose: (label: string, directory: ZipDirectory) => string,
): Uint8Array {
  const label = basename(archivePath);
  using archive = new ArchiveFile(archivePath, label);
  const directory = openZip(archive);
  const member = memberAt(label, directory, choose(label, directory));
  return new MemberReader(archive, threadInflater()).bytes(member);
}
