import type { ArgsSpec } from "../../../kit/cli/command.ts";

/** How to find the rinit that runs. */
export const SOCKET_ARGS = {
  socket: {
    type: "string",
    valueHint: "PATH",
    default: "/run/rinit.sock",
    completes: "path",
    description: "Where rinit listens",
  },
} as const satisfies ArgsSpec;

/** Services, at least one. */
export const NAMES_ARGS = {
  name: {
    type: "positional",
    repeatable: true,
    valueHint: "NAME",
    description: "A service",
  },
} as const satisfies ArgsSpec;

/** Services, or all of them. */
export const SOME_NAMES_ARGS = {
  name: {
    type: "positional",
    required: false,
    repeatable: true,
    valueHint: "NAME",
    description: "A service; all of them if none is named",
  },
} as const satisfies ArgsSpec;

/** Folders of service files below a root. */
export const FOLDER_ARGS = {
  root: {
    type: "string",
    valueHint: "DIR",
    default: "/",
    completes: "folder",
    description: "Root of the system whose service files are meant",
  },
} as const satisfies ArgsSpec;
