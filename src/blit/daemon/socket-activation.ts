/**
 * Sockets that systemd has opened for the daemon (sd_listen_fds(3)): the first one, or the one
 * named "control", is the control plane's; the second, or the one named "data", is the data
 * plane's.
 */
import type { Environment } from "../../kit/config/paths.ts";
import { Fault } from "../../kit/fault/fault.ts";

/** First descriptor that is handed over: SD_LISTEN_FDS_START. */
const FIRST_FD = 3;

/** What was handed over. */
export type HandedOver = {
  readonly control: number | undefined;
  readonly data: number | undefined;
};

/**
 * Takes the sockets that the environment tells of.
 *
 * @throws {Fault} E_CONFIG where there are more than the daemon has use for
 */
export function handedOverSockets(environment: Environment, pid: number): HandedOver {
  const count = Number(environment["LISTEN_FDS"] ?? 0);
  // The variables of a parent that was meant itself are inherited by its children.
  if (environment["LISTEN_PID"] !== String(pid) || !Number.isInteger(count) || count < 1) {
    return { control: undefined, data: undefined };
  }
  if (count > 2) {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot use ${count} sockets of systemd: one for control and one for data`,
      hint: "name them with FileDescriptorName=control and FileDescriptorName=data",
    });
  }
  if (count === 1) return { control: FIRST_FD, data: undefined };
  const names = (environment["LISTEN_FDNAMES"] ?? "").split(":");
  const isReversed = names[0] === "data" || names[1] === "control";
  return { control: FIRST_FD + (isReversed ? 1 : 0), data: FIRST_FD + (isReversed ? 0 : 1) };
}
