import { Fault } from "../../kit/fault/fault.ts";
import type { Interpreter } from "../python/probe.ts";
import type { Builder } from "./lazy-builder.ts";
import type { Session } from "./session.ts";

/** The builder of sources. */
export async function openBuilder(_session: Session, _interpreter: Interpreter): Promise<Builder> {
  throw new Fault({ code: "E_BUILD", message: "Cannot build from sources" });
}
