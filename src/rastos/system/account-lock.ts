import { Fault } from "../../kit/fault/fault.ts";
import type { RootFolder } from "../../kit/fs/root-folder.ts";

const LOCKS = ["etc/passwd.lock", "etc/group.lock", "etc/gshadow.lock", "etc/shadow.lock"] as const;

/**
 * Keeps useradd(8), passwd(1) and their kind out of the files of accounts while they are changed:
 * the files that shadow-utils makes for that, with the process in them. One whose process is gone
 * is taken over.
 *
 * @throws {Fault} E_LOCKED naming the process
 */
export function lockAccounts(root: RootFolder): Disposable {
  const held: string[] = [];
  const release = (): void => {
    for (const path of held.splice(0)) root.remove(path);
  };
  try {
    for (const path of LOCKS) {
      take(root, path);
      held.push(path);
    }
  } catch (error) {
    release();
    throw error;
  }
  return { [Symbol.dispose]: release };
}

function take(root: RootFolder, path: string): void {
  const mine = `${process.pid}\0`;
  if (root.createFile(path, mine, { mode: 0o600 })) return;
  const holder = Number.parseInt(root.readText(path) ?? "", 10);
  if (Number.isInteger(holder) && holder !== process.pid && isAlive(holder)) {
    throw new Fault({
      code: "E_LOCKED",
      message: `Cannot change accounts in "${root.path}": process ${holder} does (${path})`,
      hint: "wait until it is done; useradd, passwd and their kind hold the lock for a moment",
      details: { pid: holder, path },
    });
  }
  root.remove(path);
  if (root.createFile(path, mine, { mode: 0o600 })) return;
  throw new Fault({
    code: "E_LOCKED",
    message: `Cannot change accounts in "${root.path}": somebody else has just begun to (${path})`,
    hint: "try again",
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
