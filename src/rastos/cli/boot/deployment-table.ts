import { escapeControls } from "../../../kit/fault/redact.ts";
import { formatTable } from "../../../kit/text/table.ts";
import type { DeploymentStatus } from "../../deploy/status.ts";

/** The lines of a table of deployments: what is booted has a `>`, what boots next a `*`. */
export function deploymentTable(deployments: readonly DeploymentStatus[]): readonly string[] {
  return formatTable(
    [
      { title: "" },
      { title: "ENTRY" },
      { title: "STATE" },
      { title: "KERNEL" },
      { title: "DESCRIPTION" },
    ],
    deployments.map((one) => [
      `${one.isBooted ? ">" : " "}${one.isNext ? "*" : ""}`,
      one.entry,
      stateText(one),
      escapeControls(one.kernelVersion ?? ""),
      escapeControls(one.description),
    ]),
  );
}

function stateText({ state, triesLeft, triesDone }: DeploymentStatus): string {
  if (state === "new") return `new, ${triesLeft} left`;
  return state === "trying" ? `trying, ${triesDone} done, ${triesLeft} left` : state;
}
