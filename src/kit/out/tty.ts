import { fstatSync } from "node:fs";

/** The two descriptors that a command writes to. */
export type OutputFd = 1 | 2;

/**
 * True if the descriptor is a terminal. Neither touches process.stdout (7 to 9 ms, docs/bun.md)
 * nor, in the usual cases, loads node:tty (5 ms): what is no character device is no terminal, and
 * on Linux the device number tells the usual terminals.
 */
export function isTerminal(fd: 0 | OutputFd): boolean {
  try {
    const status = fstatSync(fd);
    if (!status.isCharacterDevice()) {
      return false;
    }
    const known = process.platform === "linux" ? isLinuxTerminal(status.rdev) : undefined;
    return known ?? process.getBuiltinModule("node:tty").isatty(fd);
  } catch {
    // A closed descriptor is no terminal.
    return false;
  }
}

/**
 * By Documentation/admin-guide/devices.txt: 4 consoles and serial lines, 136 to 143 pseudo-
 * terminals.
 */
function isLinuxTerminal(device: number): boolean | undefined {
  const major = (device >> 8) & 0xfff;
  const isMemoryDevice = major === 1;
  return major === 4 || (major >= 136 && major <= 143) ? true : isMemoryDevice ? false : undefined;
}

/** Columns of the terminal, from COLUMNS or the terminal itself; 80 where neither knows. */
export function terminalColumns(fd: OutputFd): number {
  const columns = Number(process.env["COLUMNS"]);
  if (Number.isInteger(columns) && columns > 0) {
    return columns;
  }
  if (!isTerminal(fd)) {
    return COLUMNS_DEFAULT;
  }
  const stream = fd === 1 ? process.stdout : process.stderr;
  return stream.columns > 0 ? stream.columns : COLUMNS_DEFAULT;
}

const COLUMNS_DEFAULT = 80;
