import { WIRE_VERSION } from "../wire/frame.ts";
import { streamsWanted } from "./client-streams.ts";

/** What this side tells about itself at the start of a transfer. */
export function capabilities(forceGrpcData: boolean, streamsMax = streamsWanted()) {
  return {
    wireVersion: WIRE_VERSION,
    supportsRdma: false,
    rdmaQp: 0,
    supportsKernelTls: false,
    forceGrpcData,
    streamsMax,
    supportsZstd: true,
  };
}
