import type { Account } from "./accounts.ts";
import type { RootStep, RootView } from "./root-view.ts";
import type { ConfigurationChange, UserConfig } from "./types.ts";

/** What is to be done in one home folder; its steps never follow a link in it. */
export interface HomePlan {
  readonly user: string;
  /** Absolute in the system: `/home/ada`. */
  readonly home: string;
  readonly changes: readonly ConfigurationChange[];
  /** Make the folder itself; the path counts from where home folders are. */
  readonly before: readonly RootStep[];
  /** From the home folder. */
  readonly inside: readonly RootStep[];
}

/** How a home folder is looked at: a root in which no link is followed. */
export type HomeView = Pick<RootView, "readText" | "status">;

const SSH = ".ssh";
const KEYS = ".ssh/authorized_keys";

/**
 * The home folder of a user: made with what is in etc/skel, and the declared keys in it. A folder
 * that is there already stays as it is, the keys apart. Pure.
 *
 * @param view the root, for etc/skel and whether the folder is there
 * @param inside the home folder; undefined where there is none
 */
export function planHome(
  view: RootView,
  inside: HomeView | undefined,
  owner: { readonly account: Account; readonly user: UserConfig },
): HomePlan {
  const { account, user } = owner;
  const { uid, gid, home, name } = account;
  const path = home.replace(/^\/+/, "");
  const changes: ConfigurationChange[] = [];
  const before: RootStep[] = [];
  const steps: RootStep[] = [];
  const rights = { uid, gid };
  const isWanted = home.startsWith("/") && path !== "" && path !== "nonexistent";
  if (isWanted && inside === undefined) {
    before.push({ kind: "folder", path, rights: { ...rights, mode: 0o700 } });
    steps.push(...skeleton(view, "etc/skel", "", rights));
    changes.push({ area: "users", path, action: "create", text: `make the home folder ${home}` });
  }
  if (user.ssh_keys !== undefined && isWanted) {
    const keys = keySteps(inside, user.ssh_keys, rights);
    if (keys.length > 0) {
      steps.push(...keys);
      const isGone = user.ssh_keys.length === 0;
      const count = `${user.ssh_keys.length} ${user.ssh_keys.length === 1 ? "key" : "keys"}`;
      const text = isGone ? `no ssh keys for ${name}` : `${count} that may log in as ${name}`;
      const action = isGone ? "remove" : "change";
      changes.push({ area: "ssh keys", path: `${path}/${KEYS}`, action, text });
    }
  }
  return { user: name, home, changes, before, inside: steps };
}

type Owner = { readonly uid: number; readonly gid: number };

function keySteps(inside: HomeView | undefined, keys: readonly string[], owner: Owner): RootStep[] {
  const file = inside?.status(KEYS);
  if (keys.length === 0) return file === undefined ? [] : [{ kind: "remove", path: KEYS }];
  const steps: RootStep[] = [];
  const folder = inside?.status(SSH);
  const wanted = { ...owner, mode: 0o700 };
  if (folder === undefined) steps.push({ kind: "folder", path: SSH, rights: wanted });
  else if (differs(folder, wanted)) steps.push({ kind: "rights", path: SSH, rights: wanted });
  const content = `${keys.join("\n")}\n`;
  const rights = { ...owner, mode: 0o600 };
  const isRight =
    file?.kind === "file" && !differs(file, rights) && inside?.readText(KEYS) === content;
  if (!isRight) steps.push({ kind: "file", path: KEYS, content, rights });
  return steps;
}

function differs(
  is: { readonly uid: number; readonly gid: number; readonly mode: number },
  wanted: { readonly uid: number; readonly gid: number; readonly mode: number },
): boolean {
  // Who is not root can give nothing away, so owners are none of his business.
  const isOwner = process.geteuid?.() !== 0 || (is.uid === wanted.uid && is.gid === wanted.gid);
  return !isOwner || is.mode !== wanted.mode;
}

/** A skeleton is small; a folder that is not is none. */
const DEPTH_MAX = 8;

function skeleton(view: RootView, from: string, to: string, owner: Owner, depth = 0): RootStep[] {
  if (depth > DEPTH_MAX) return [];
  return view.names(from).flatMap((name): RootStep[] => {
    const source = `${from}/${name}`;
    const path = to === "" ? name : `${to}/${name}`;
    const status = view.status(source);
    switch (status?.kind) {
      case "file": {
        const content = view.read(source) ?? new Uint8Array();
        return [{ kind: "file", path, content, rights: { ...owner, mode: status.mode } }];
      }
      case "folder":
        return [
          { kind: "folder", path, rights: { ...owner, mode: status.mode } },
          ...skeleton(view, source, path, owner, depth + 1),
        ];
      case "link":
        return [{ kind: "link", path, target: view.readLink(source) ?? "" }];
      default:
        return [];
    }
  });
}
