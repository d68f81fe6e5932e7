import { AT } from "../../../ffi/abi/constants.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { Base } from "../session/types.ts";
import { paced } from "./pace.ts";
import { answer } from "./request.ts";
import type { AdminSource } from "./source.ts";

const ownPaths: Base = { fd: AT.FDCWD, resolve: 0 };

/** The user's own paths. @throws {Fault} E_NEEDS_LINUX */
export function localSource(): AdminSource {
  if (process.platform !== "linux") {
    throw new Fault({
      code: "E_NEEDS_LINUX",
      message: "Cannot look at local paths here: this command needs Linux for them",
      hint: "places on servers work everywhere",
    });
  }
  return { run: (request) => paced(answer(ownPaths, request)) };
}
