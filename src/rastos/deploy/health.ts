import { existsSync } from "node:fs";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { askRinit } from "../service/control-client.ts";
import { CONTROL_SOCKET, type ServiceStatus } from "../service/control-messages.ts";
import type { HealthCheck, HealthSettings } from "./health-schema.ts";

/** Where a deployment says what must hold. */
export const HEALTH_FILE = "/etc/rastos/health.toml";

/** How one check has ended. */
export interface HealthOutcome {
  readonly name: string;
  /** Why it did not pass; undefined: it did. */
  readonly problem: string | undefined;
  readonly tries: number;
}

/** What checking needs of the world. */
export interface HealthWorld {
  /** Milliseconds that only go forward. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly rinitSocket: string;
}

const REAL_WORLD: HealthWorld = {
  now: () => performance.now(),
  sleep: Bun.sleep,
  rinitSocket: CONTROL_SOCKET,
};

/** A service that has just come up may fall over in the next moment. */
const STEADY_MS = 3000;

/**
 * Reads health.toml. Without one only the services are checked.
 *
 * @throws {Fault} E_CONFIG with file, line and key
 */
export async function readHealthSettings(path = HEALTH_FILE): Promise<HealthSettings> {
  const { loadConfig } = await import("../../kit/config/load.ts");
  const { healthSchema } = await import("./health-schema.ts");
  return (await loadConfig({ schema: healthSchema, files: [{ name: "system", path }] })).values;
}

/** Runs all checks at once, each until it passes or its time is over. */
export async function checkHealth(
  settings: HealthSettings,
  world: HealthWorld = REAL_WORLD,
): Promise<readonly HealthOutcome[]> {
  const deadline = world.now() + settings.timeout * 1000;
  const checks = settings.check.map((check) => ({
    name: check.name ?? nameOf(check),
    retries: check.retries ?? Number.POSITIVE_INFINITY,
    intervalMs: check.interval * 1000,
    run: () => tryOnce(check, world),
  }));
  const services = {
    name: "services",
    retries: Number.POSITIVE_INFINITY,
    intervalMs: 1000,
    run: () => servicesProblem(world),
  };
  const isRinit = settings.services && existsSync(world.rinitSocket);
  const all = isRinit ? [services, ...checks] : checks;
  return await Promise.all(all.map((check) => untilPassed(check, deadline, world)));
}

/** The failures as one sentence; undefined when there are none. */
export function healthReason(outcomes: readonly HealthOutcome[]): string | undefined {
  const failed = outcomes.filter(({ problem }) => problem !== undefined);
  if (failed.length === 0) return undefined;
  const texts = failed.map(({ name, problem }) => `"${name}": ${problem}`);
  return `health check failed: ${texts.join("; ")}`;
}

interface RunningCheck {
  readonly name: string;
  readonly retries: number;
  readonly intervalMs: number;
  run(): Promise<string | FinalProblem | undefined>;
}

/** A problem that no waiting takes away: rinit has given a service up. */
class FinalProblem {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

async function untilPassed(
  check: RunningCheck,
  deadline: number,
  world: HealthWorld,
): Promise<HealthOutcome> {
  for (let tries = 1; ; tries++) {
    const problem = await check.run();
    if (problem instanceof FinalProblem) return { name: check.name, problem: problem.text, tries };
    const isOver = tries > check.retries || world.now() + check.intervalMs > deadline;
    if (problem === undefined || isOver) return { name: check.name, problem, tries };
    await world.sleep(check.intervalMs);
  }
}

function nameOf(check: HealthCheck): string {
  if ("command" in check) {
    return typeof check.command === "string" ? check.command : check.command.join(" ");
  }
  if ("service" in check) return check.service;
  if ("tcp" in check) return check.tcp;
  return "http" in check ? check.http : check.file;
}

/** What is wrong at the moment; undefined when nothing is. */
async function tryOnce(check: HealthCheck, world: HealthWorld): Promise<string | undefined> {
  const timeoutMs = check.timeout * 1000;
  if ("command" in check) return await commandProblem(check.command, timeoutMs);
  if ("service" in check) return await serviceProblem(check.service, timeoutMs, world);
  if ("tcp" in check) return await connectionProblem(check.tcp, timeoutMs);
  if ("http" in check) return await answerProblem(check.http, check.status, timeoutMs);
  return existsSync(check.file) ? undefined : "there is no such file";
}

async function commandProblem(
  command: string | readonly string[],
  timeoutMs: number,
): Promise<string | undefined> {
  const words = typeof command === "string" ? ["/bin/sh", "-c", command] : [...command];
  try {
    const child = Bun.spawn(words, { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
    const timer = setTimeout(() => child.kill("SIGKILL"), timeoutMs);
    const complaint = new Response(child.stderr).text();
    const code = await child.exited;
    clearTimeout(timer);
    if (code === 0) return undefined;
    if (child.signalCode !== null) return `it was ended by ${child.signalCode}`;
    const last = (await Promise.race([complaint, Bun.sleep(200).then(() => "")])).trim();
    const line = last.split("\n").at(-1) ?? "";
    return line === "" ? `it ended with ${code}` : `it ended with ${code}: ${line.slice(0, 200)}`;
  } catch (error) {
    return `it cannot be started: ${reasonOf(error)}`;
  }
}

async function connectionProblem(place: string, timeoutMs: number): Promise<string | undefined> {
  const colon = place.lastIndexOf(":");
  const hostname = place.slice(0, colon).replace(/^\[|\]$/g, "");
  const port = Number(place.slice(colon + 1));
  const connecting = Bun.connect({ hostname, port, socket: { data() {} } });
  try {
    const late = Bun.sleep(timeoutMs).then(() => undefined);
    const socket = await Promise.race([connecting, late]);
    if (socket === undefined) return `no connection within ${timeoutMs / 1000} s`;
    socket.end();
    return undefined;
  } catch (error) {
    return `no connection: ${reasonOf(error)}`;
  }
}

async function answerProblem(
  url: string,
  status: number,
  timeoutMs: number,
): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(timeoutMs);
    const response = await fetch(url, { signal, redirect: "manual" });
    await response.body?.cancel();
    return response.status === status
      ? undefined
      : `the status is ${response.status} instead of ${status}`;
  } catch (error) {
    return `no answer: ${reasonOf(error)}`;
  }
}

/** Of all services that rinit has enabled, those that are not up, in a sentence. */
async function servicesProblem(world: HealthWorld): Promise<string | FinalProblem | undefined> {
  try {
    const { services = [] } = await askRinit(world.rinitSocket, { verb: "status", names: [] });
    // The one that asks is not up before it has its answer.
    const others = services.filter(({ enabled, pid }) => enabled && !isOwn(pid));
    const unready = others.flatMap((one) => unsteady(one) ?? []);
    if (unready.length > 0) {
      const isFinal = others.some(({ state }) => state === "failed");
      return isFinal ? new FinalProblem(unready.join(", ")) : unready.join(", ");
    }
    const { health = [] } = await askRinit(world.rinitSocket, { verb: "health" });
    const sick = health.filter(({ isGood }) => !isGood);
    const problems = sick.map(({ service, reason }) => `${service} is not well: ${reason ?? ""}`);
    return problems.length === 0 ? undefined : problems.join(", ");
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return error.message;
  }
}

async function serviceProblem(
  name: string,
  timeoutMs: number,
  world: HealthWorld,
): Promise<string | undefined> {
  if (!existsSync(world.rinitSocket)) {
    const command = ["systemctl", "is-active", "--quiet", name];
    return await commandProblem(command, timeoutMs);
  }
  try {
    const { services = [] } = await askRinit(world.rinitSocket, { verb: "status", names: [name] });
    const [service] = services;
    return service === undefined ? "there is no such service" : unsteady(service);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return error.message;
  }
}

function isOwn(pid: number | undefined): boolean {
  return pid === process.pid || pid === process.ppid;
}

function unsteady(service: ServiceStatus): string | undefined {
  const { name, state, reason, upMs, pid } = service;
  // One that has done its work and ended is up without a process.
  const isSteady = state === "up" && (pid === undefined || (upMs ?? 0) >= STEADY_MS);
  // It was stopped by hand, or ended well and is not to be started again.
  if (isSteady || state === "down") return undefined;
  return `${name} is ${state}${reason === undefined ? "" : ` (${reason})`}`;
}
