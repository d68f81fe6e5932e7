import { Fault } from "../../kit/fault/fault.ts";

/** PKGBUILD(5), pkgname: no name begins with a dash or a dot. */
const NAME = /^[a-zA-Z0-9@_+][a-zA-Z0-9@._+-]{0,254}$/;

/** Whether a text can name a package: such a name is safe as part of a path, a URL or a command. */
export function isPackageName(text: string): boolean {
  return NAME.test(text) && text !== "." && text !== "..";
}

/** A package that is asked for, and the commit of its base where that is given. */
export interface AurSpec {
  readonly name: string;
  /** Lower case, 7 to 40 hexadecimal digits. */
  readonly commit: string | undefined;
}

/**
 * Reads `name` or `name#commit`, as [packages].aur of system.toml has them.
 *
 * @throws {Fault} E_USAGE
 */
export function parseAurSpec(text: string): AurSpec {
  const [, name, commit] = /^([^#]*)(?:#([0-9a-fA-F]{7,40}))?$/.exec(text) ?? [];
  if (name !== undefined && isPackageName(name)) return { name, commit: commit?.toLowerCase() };
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot look for "${text}": that is no name of a package`,
    hint: "names are letters, digits and @._+-; a commit may follow: name#0123abc",
  });
}
