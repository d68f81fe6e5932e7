import type { ArgsSpec } from "../../kit/cli/command.ts";

/** Heading of the flags that say how a daemon is talked to. */
export const CONNECTION_GROUP = "Connection";

/** The flags of every command that talks to a daemon. */
export const CONNECTION_ARGS = {
  tls: {
    type: "boolean",
    description: "Talk to the daemon over TLS, data included",
    details:
      "The daemon's certificate is kept at the first contact and must be the same ever after, " +
      "unless --ca says who vouches for it. A daemon whose certificate is known is always " +
      "talked to over TLS.",
    group: CONNECTION_GROUP,
  },
  "accept-new": {
    type: "boolean",
    description: "Take the certificate of a daemon that is not known yet without asking",
    group: CONNECTION_GROUP,
  },
  ca: {
    type: "string",
    valueHint: "FILE",
    completes: "path",
    description: "Trust daemons that this certificate authority (PEM) vouches for; implies --tls",
    group: CONNECTION_GROUP,
  },
  cert: {
    type: "string",
    valueHint: "FILE",
    completes: "path",
    description: "Show this certificate (PEM) to the daemon; implies --tls",
    group: CONNECTION_GROUP,
  },
  key: {
    type: "string",
    valueHint: "FILE",
    completes: "path",
    description: "The private key (PEM) of --cert",
    group: CONNECTION_GROUP,
  },
  "token-file": {
    type: "string",
    valueHint: "FILE",
    completes: "path",
    description: "Read the token that the daemon asks for from a file",
    group: CONNECTION_GROUP,
  },
} as const satisfies ArgsSpec;

/** Of CONNECTION_ARGS, as parsed. */
export type ConnectionFlags = {
  readonly tls: boolean;
  readonly "accept-new": boolean;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly "token-file": string | undefined;
};
