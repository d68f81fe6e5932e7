import { errno, errnoText } from "../../../ffi/errno.ts";
import { Fault } from "../../kit/fault/fault.ts";

/** What the end of a stream is called. `result` is -errno of a DataSocket. */
export function streamFault(
  result: number,
  where: {
    readonly lastWait: "send" | "receive";
    readonly stallMs: number;
    readonly stream: number;
  },
): Fault {
  const hint = "run the same command again: it goes on where this one stopped";
  const { lastWait, stallMs, stream } = where;
  const name = `data stream ${stream}`;
  switch (-result) {
    case errno.ECANCELED:
      return new Fault({ code: "E_INTERRUPTED", message: "The transfer was cancelled" });
    case errno.ETIMEDOUT: {
      const what =
        lastWait === "send" ? "the source took nothing from" : "the source sent nothing over";
      const seconds = Math.round(stallMs / 1000);
      const message = `Cannot go on: ${what} ${name} for ${seconds} s (waited for the socket)`;
      return new Fault({ code: "E_STALL", message, hint });
    }
    case errno.EBADMSG:
      return new Fault({
        code: "E_INTEGRITY",
        message: `Cannot go on: what came over ${name} was changed on its way`,
        hint: "nothing of it was used; look at what lies between the two machines",
      });
    case errno.ECONNRESET:
    case errno.EPIPE:
      return new Fault({
        code: "E_NETWORK",
        message: `Cannot go on: the source has closed ${name}`,
        hint,
      });
    default:
      return new Fault({
        code: "E_NETWORK",
        message: `Cannot go on with ${name}: ${errnoText(-result)}`,
        hint,
      });
  }
}
