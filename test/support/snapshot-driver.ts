/**
 * One change of a snapshot tree in a process of its own, which a test may kill or disturb:
 * `bun test/support/snapshot-driver.ts TOP clone|create|keep|remove|hand-over`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { SnapshotTree } from "../../src/rastos/snapshot/tree.ts";

const [top = "", action = ""] = process.argv.slice(2);
using tree = SnapshotTree.open(top, { command: action });
switch (action) {
  case "clone":
    tree.clone(0, "made");
    break;
  case "create":
    tree.create({ from: undefined, description: "made" });
    break;
  case "remove":
    tree.remove([tree.state.nextSnapshot - 1], { force: false });
    break;
  case "hand-over": {
    const owner = tree.state.snapshots.find(({ description }) => description === "owner");
    tree.remove([owner?.id ?? -1], { force: true });
    break;
  }
  case "keep": {
    using clone = tree.temporary(0);
    writeFileSync(join(clone.path, "etc/hostname"), "two\n");
    clone.keep({ description: "made" });
    break;
  }
  default:
    throw new Error(`Unknown action "${action}"`);
}
