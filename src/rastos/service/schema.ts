/** What a service file may say: the one source of checks, defaults and the reference page. */
import { z } from "zod";
import { signalNumber } from "./signals.ts";
import { parseDuration, parseProcessors, parseSize } from "./units.ts";

/** A value that is written as text and kept as a number. */
function parsed(parse: (text: string) => number | undefined, wanted: string) {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: `it is not ${wanted}` });
    return z.NEVER;
  });
}

const duration = () => parsed(parseDuration, 'a duration, such as "500ms", "30s" or "2m"');
const size = () => parsed(parseSize, 'a size, such as "512M" or "2G"');
const signal = () => parsed(signalNumber, 'a signal, such as "SIGTERM" or "HUP"');

const noNul = (text: string): boolean => !text.includes("\0");
const word = z.string().refine(noNul, "it must not hold a NUL character");
const command = z.array(word).min(1);

/** Names of services are names of files, and parts of paths. */
export const SERVICE_NAME = /^[A-Za-z0-9][A-Za-z0-9._:+@-]{0,99}$/;
const serviceName = z
  .string()
  .regex(SERVICE_NAME, "a name has letters, digits and ._:+@- only, at most 100");
const names = () => z.array(serviceName).default([]);

const ready = z
  .strictObject({
    tcp: z
      .string()
      .regex(/^(\S+:)?\d{1,5}$/, 'it is not "HOST:PORT"')
      .optional()
      .describe('Until something listens there: "127.0.0.1:80", or a port of this machine'),
    file: z.string().startsWith("/").optional().describe("Until this file or socket exists"),
    command: command.optional().describe("Until this command ends with 0; tried again and again"),
    delay: duration().optional().describe("After this time, if it still runs"),
    fd: z
      .int()
      .min(3)
      .max(63)
      .optional()
      .describe("Until it writes a line to this descriptor, as services for s6 do"),
  })
  .describe("When a service that has started counts as ready; without it, at once");

const limit = () => z.int().min(0).optional();

const limits = z
  .strictObject({
    nofile: limit().describe("Open files; 1024 unless set"),
    nproc: limit().describe("Processes of the user"),
    core: limit().describe("Size of a core dump, bytes"),
    stack: limit().describe("Stack, bytes"),
    memlock: limit().describe("Locked memory, bytes"),
    address_space: limit().describe("Address space of each process, bytes"),
    file_size: limit().describe("Size of a file that it writes, bytes"),
    memory: size().optional().describe('Memory of all its processes, "512M"; needs cgroup v2'),
    cpu: parsed(parseProcessors, 'a share, such as "50%" or "1.5"')
      .optional()
      .describe('Processors, "50%" of one or "1.5"; needs cgroup v2'),
    pids: z.int().min(1).optional().describe("Processes of the service; needs cgroup v2"),
  })
  .default({})
  .describe("What it may use at most");

const log = z
  .strictObject({
    size_max: size().prefault("1M").describe("Size at which the log is rotated"),
    keep: z.int().min(0).max(1000).default(5).describe("Rotated logs that are kept"),
    to_console: z.boolean().default(false).describe("Also on the console of the machine"),
  })
  .prefault({})
  .describe("What it prints, in /var/log/rinit/NAME/log");

/** A service file. */
export const serviceSchema = z.strictObject({
  description: z.string().default("").describe("What it is, for people"),
  type: z
    .enum(["simple", "oneshot", "notify", "forking", "target"])
    .default("simple")
    .describe(
      "simple runs on; oneshot runs to its end; notify says READY=1 to NOTIFY_SOCKET " +
        "(sd_notify); forking leaves a child behind, see pid_file; target runs nothing",
    ),
  exec: command.optional().describe("The program and its arguments; no shell is involved"),
  shell: word.optional().describe("Instead of exec: a line for /bin/sh"),
  pre: z.array(command).default([]).describe("Commands before it starts; one that fails stops it"),
  post: z.array(command).default([]).describe("Commands after it has ended, however it has"),
  pid_file: z.string().startsWith("/").optional().describe("Of forking: holds the pid"),
  disabled: z.boolean().default(false).describe("As if there was no such file"),
  only_if: z
    .array(z.string().startsWith("/"))
    .default([])
    .describe("Paths that must exist when the file is read; else it counts as up and runs nothing"),
  user: word.optional().describe("Name or number of the user that it runs as"),
  group: word.optional().describe("Name or number of its group; that of the user unless set"),
  groups: z.array(word).optional().describe("Its other groups; those of the user unless set"),
  cwd: word.default("/").describe("Its working folder"),
  umask: z
    .string()
    .regex(/^[0-7]{3,4}$/)
    .default("022")
    .describe("File modes, octal"),
  nice: z.int().min(-20).max(19).default(0).describe("Priority, -20 highest to 19 lowest"),
  oom_score_adjust: z.int().min(-1000).max(1000).default(0).describe("See proc(5)"),
  environment: z
    .record(z.string().regex(/^[A-Za-z_]\w*$/), word)
    .default({})
    .describe("Variables"),
  environment_files: z
    .array(word)
    .default([])
    .describe('Files of NAME=value lines; one that begins with "-" may be absent'),
  requires: names().describe("Services that must be up before it; it is stopped with them"),
  wants: names().describe("Services that are started along, and before it, and may fail"),
  after: names().describe("Services that it waits for, if they are being started at all"),
  before: names().describe("Services that wait for it, if they are being started at all"),
  conflicts: names().describe("Services that are stopped when it starts"),
  targets: z.array(serviceName).default(["default"]).describe("Targets that want it if enabled"),
  ready: ready.prefault({}),
  start_timeout: duration().prefault("60s").describe("Until it is ready, or else it has failed"),
  stop_signal: signal().prefault("SIGTERM").describe("Asks it to stop"),
  stop_timeout: duration().prefault("10s").describe("Until SIGKILL, when it does not stop"),
  kill: z
    .enum(["group", "process"])
    .default("group")
    .describe("Whether signals go to its process group or to its first process alone"),
  reload: command.optional().describe("Has it read its configuration again"),
  reload_signal: signal().optional().describe("Or: a signal for the same"),
  restart: z
    .enum(["always", "on-failure", "never"])
    .default("on-failure")
    .describe("Whether it is started again when it ends by itself"),
  restart_delay: duration()
    .prefault("200ms")
    .describe("Before the first restart; doubled each time"),
  restart_delay_max: duration().prefault("30s").describe("The longest delay"),
  start_limit: z.int().min(0).default(8).describe("Starts within the window; then it has failed"),
  start_limit_window: duration().prefault("2m").describe("The window; 0 starts: no limit"),
  watchdog: duration().optional().describe("It says WATCHDOG=1 at least this often, or is killed"),
  limits,
  tty: z
    .string()
    .regex(/^(\/dev\/\S+|console|auto)$/, 'it is no /dev/…, "console" or "auto"')
    .optional()
    .describe('Its terminal: "/dev/tty1", "console", or "auto" for a free virtual one'),
  log,
  health: command.optional().describe("Ends with 0 while all is well; asked by `boot bless`"),
  health_timeout: duration().prefault("10s").describe("After which health counts as bad"),
});

/** What a service file says, with defaults. */
export type ServiceSettings = z.output<typeof serviceSchema>;
