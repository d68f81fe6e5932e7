import type { PackageProblem } from "./problem.ts";
import { signingKeyOf } from "./signing-key.ts";

/** A package with its signature in base64, or "". */
export interface Signed {
  readonly name: string;
  readonly signature: string;
}

/** What is known beside the lines. */
export interface OtherContext {
  /** In the words of libalpm or pacman. */
  readonly reason: string;
  /** Who has signed what was to be installed. */
  readonly signers: () => readonly Signed[];
}

/** A problem that only the errors on the way tell apart. Pure. */
export function otherProblem(lines: readonly string[], context: OtherContext): PackageProblem {
  if (lines.some((line) => /required key missing from keyring/.test(line))) {
    const signed = context.signers().filter(({ signature }) => signature !== "");
    const keys = signed.map(({ name, signature }) => {
      const key = signingKeyOf(Buffer.from(signature, "base64"));
      return `"${name}" is signed with the key ${key ?? "of an unknown kind"}`;
    });
    return { kind: "untrusted", files: signed.map(({ name }) => name), lines: [...lines, ...keys] };
  }
  const unfetched = lines.flatMap((line) => FETCH_WORDS.exec(line)?.[1] ?? []);
  if (unfetched.length === 0) return { kind: "other", reason: context.reason, lines };
  if (!unfetched.every((file) => file.endsWith(".sig"))) return { kind: "fetch", lines };
  // All is there but the signatures that are asked for.
  const files = unfetched.map((file) => file.slice(0, -4));
  return { kind: "untrusted", files, lines };
}

const FETCH_WORDS = /^failed retrieving file '([^']+)'/;
