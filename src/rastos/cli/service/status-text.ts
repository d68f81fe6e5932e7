import { sanitise } from "../../../kit/fault/redact.ts";
import type { Style } from "../../../kit/out/style.ts";
import { formatBytes, formatSeconds } from "../../../kit/text/format.ts";
import type { ServiceStatus } from "../../service/control-messages.ts";

/** The state in a word; what runs by itself is "up", a oneshot that has ended "done". */
export function stateText(service: ServiceStatus, style: Style): string {
  const { state } = service;
  if (state === "failed" || state === "backoff") return style.error(state);
  if (state !== "up") return state;
  return style.done(service.pid === undefined && service.type === "oneshot" ? "done" : "up");
}

/** A service as a block of lines. */
export function statusLines(service: ServiceStatus, style: Style): string[] {
  const title = service.description === "" ? "" : ` - ${sanitise(service.description)}`;
  const lines = [`${style.heading(service.name)}${title}`];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== "") lines.push(`  ${name.padEnd(9)} ${value}`);
  };
  const since = service.upMs === undefined ? "" : ` for ${formatSeconds(service.upMs / 1000)}`;
  const reason = service.reason === undefined ? "" : `: ${sanitise(service.reason)}`;
  add("state", `${stateText(service, style)}${since}${reason}`);
  add("says", service.says === undefined ? undefined : sanitise(service.says));
  add("enabled", service.enabled ? "yes" : "no");
  add("pid", service.pid?.toString());
  add("terminal", service.tty);
  const { session } = service;
  if (session.length > 0) {
    const shown = session.slice(0, 8).map(({ pid, name }) => `${pid} ${sanitise(name)}`);
    add("session", `${shown.join(", ")}${session.length > 8 ? ", ..." : ""}`);
  }
  add("memory", service.memoryBytes === undefined ? undefined : formatBytes(service.memoryBytes));
  add("restarts", service.restarts === 0 ? undefined : `${service.restarts}`);
  add("last exit", exitText(service));
  add("log", service.type === "target" ? undefined : service.log);
  return lines;
}

function exitText({ lastExit }: ServiceStatus): string | undefined {
  if (lastExit === undefined) return undefined;
  return lastExit.signal ?? `code ${lastExit.code ?? 0}`;
}
