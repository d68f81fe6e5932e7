/** systemd units for those who keep systemd: systemd.unit(5), systemd.service(5). Pure. */
import type { ServiceDefinition } from "./definition.ts";
import { signalName } from "./signals.ts";

/** A unit file. */
export interface UnitFile {
  readonly name: string;
  readonly content: string;
  /** What the unit cannot say, or says in another way. */
  readonly notes: readonly string[];
}

/** systemd's own targets, for those that every system has. */
const TARGETS: Readonly<Record<string, string>> = {
  default: "multi-user.target",
  rescue: "rescue.target",
  emergency: "emergency.target",
};

const NOTE = "# Made by `rastos service emit`; changes are lost when it is made again.";

/** The unit of a service. @param all to know which of the names are targets */
export function systemdUnit(
  service: ServiceDefinition,
  all: ReadonlyMap<string, ServiceDefinition>,
): UnitFile {
  const notes: string[] = [];
  const unit = (name: string): string => unitName(name, all);
  const sections: string[][] = [unitSection(service, unit)];
  if (service.type !== "target") sections.push(serviceSection(service, notes));
  const wanted = service.targets.filter((name) => name !== service.name).map(unit);
  if (service.type !== "target" && wanted.length > 0) {
    sections.push(["[Install]", ...list("WantedBy", wanted)]);
  }
  const content = [NOTE, "", ...sections.flatMap((lines) => [...lines, ""])].join("\n");
  return { name: unit(service.name), content, notes };
}

/** `sshd.service`, `graphical.target`. */
export function unitName(name: string, all: ReadonlyMap<string, ServiceDefinition>): string {
  const known = TARGETS[name];
  if (known !== undefined) return known;
  const isTarget = all.get(name)?.type === "target";
  return `${name.replaceAll("+", "\\x2b")}.${isTarget ? "target" : "service"}`;
}

function unitSection(service: ServiceDefinition, unit: (name: string) => string): string[] {
  const { requires, wants, after, before, conflicts } = service;
  // What is required or wanted here is waited for as well; systemd wants that said.
  const later = [...new Set([...requires, ...wants, ...after])];
  const limit = service.start_limit;
  return [
    "[Unit]",
    ...value("Description", service.description.replaceAll(/\s+/g, " ")),
    ...list("Requires", requires.map(unit)),
    ...list("Wants", wants.map(unit)),
    ...list("After", later.map(unit)),
    ...list("Before", before.map(unit)),
    ...list("Conflicts", conflicts.map(unit)),
    ...(service.type === "target"
      ? []
      : [
          `StartLimitIntervalSec=${limit === 0 ? 0 : seconds(service.start_limit_window)}`,
          ...(limit === 0 ? [] : [`StartLimitBurst=${limit}`]),
        ]),
  ];
}

const TYPES = { simple: "exec", oneshot: "oneshot", notify: "notify", forking: "forking" } as const;
const RESTARTS = { always: "always", "on-failure": "on-failure", never: "no" } as const;

function serviceSection(service: ServiceDefinition, notes: string[]): string[] {
  if (service.type === "target") return [];
  const { watchdog, reload, reload_signal: signal } = service;
  if (Object.keys(service.ready).length > 0) notes.push(`"ready" has no counterpart`);
  if (service.health !== undefined) notes.push(`"health" has no counterpart`);
  if (service.tty === "auto") notes.push('tty = "auto" has no counterpart');
  const signalLine = signal === undefined ? undefined : ["kill", `-${signal}`, "$MAINPID"];
  return [
    "[Service]",
    `Type=${TYPES[service.type]}`,
    ...(service.type === "oneshot" ? ["RemainAfterExit=yes"] : []),
    ...value("PIDFile", service.pid_file),
    ...service.pre.map((command) => `ExecStartPre=${commandLine(command)}`),
    `ExecStart=${commandLine(service.command)}`,
    ...service.post.map((command) => `ExecStopPost=${commandLine(command)}`),
    ...(reload !== undefined ? [`ExecReload=${commandLine(reload)}`] : []),
    // The one word that systemd itself is to replace.
    ...(signalLine !== undefined && reload === undefined
      ? [`ExecReload=/bin/${signalLine.join(" ")}`]
      : []),
    ...value("User", service.user),
    ...value("Group", service.group),
    ...list("SupplementaryGroups", service.groups ?? []),
    `WorkingDirectory=${escapePercent(service.cwd)}`,
    `UMask=${service.umask}`,
    ...(service.nice === 0 ? [] : [`Nice=${service.nice}`]),
    ...(service.oom_score_adjust === 0 ? [] : [`OOMScoreAdjust=${service.oom_score_adjust}`]),
    ...Object.entries(service.environment).map(
      ([name, text]) => `Environment=${quoted(`${name}=${text}`)}`,
    ),
    ...service.environment_files.map((file) => `EnvironmentFile=${escapePercent(file)}`),
    `Restart=${service.type === "oneshot" ? "no" : RESTARTS[service.restart]}`,
    `RestartSec=${seconds(service.restart_delay)}`,
    `TimeoutStartSec=${service.type === "oneshot" ? "infinity" : seconds(service.start_timeout)}`,
    `TimeoutStopSec=${seconds(service.stop_timeout)}`,
    `KillSignal=${signalName(service.stop_signal)}`,
    `KillMode=${service.kill === "group" ? "control-group" : "process"}`,
    ...(watchdog === undefined ? [] : [`WatchdogSec=${seconds(watchdog)}`, "NotifyAccess=main"]),
    ...limitLines(service),
    ...terminalLines(service),
  ];
}

function limitLines({ limits }: ServiceDefinition): string[] {
  const bytes: [string, number | undefined][] = [
    ["LimitNOFILE", limits.nofile],
    ["LimitNPROC", limits.nproc],
    ["LimitCORE", limits.core],
    ["LimitSTACK", limits.stack],
    ["LimitMEMLOCK", limits.memlock],
    ["LimitAS", limits.address_space],
    ["LimitFSIZE", limits.file_size],
    ["MemoryMax", limits.memory],
    ["TasksMax", limits.pids],
  ];
  const lines = bytes.flatMap(([name, number]) => value(name, number?.toString()));
  return limits.cpu === undefined ? lines : [...lines, `CPUQuota=${limits.cpu}%`];
}

function terminalLines({ tty }: ServiceDefinition): string[] {
  if (tty === undefined || tty === "auto") return [];
  const path = tty === "console" ? "/dev/console" : tty;
  return ["StandardInput=tty", "StandardOutput=tty", `TTYPath=${path}`, "TTYReset=yes"];
}

function value(name: string, text: string | undefined): string[] {
  return text === undefined || text === "" ? [] : [`${name}=${escapePercent(text)}`];
}

function list(name: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : [`${name}=${items.join(" ")}`];
}

function seconds(milliseconds: number): string {
  return `${milliseconds / 1000}`;
}

/** A command as Exec…= takes it: nothing is replaced in it. */
function commandLine(command: readonly string[]): string {
  return command.map((word) => quoted(word).replaceAll("$", "$$$$")).join(" ");
}

function quoted(text: string): string {
  const escaped = escapePercent(text)
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t");
  return /^[\w@%+=:,./-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}

/** A percent sign begins what systemd replaces. */
function escapePercent(text: string): string {
  return text.replaceAll("%", "%%");
}
