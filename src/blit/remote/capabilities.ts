import { WIRE_VERSION } from "../wire/frame.ts";
import { hasKernelTls } from "../wire/ktls.ts";
import { streamsWanted } from "./client-streams.ts";

/** What this side tells about itself at the start of a transfer. */
export function capabilities(
  forceGrpcData: boolean,
  streamsMax = streamsWanted(),
  /** Connections of its own are made, and encrypted: the kernel may do it. */
  isEncrypted = false,
) {
  return {
    wireVersion: WIRE_VERSION,
    supportsRdma: false,
    rdmaQp: 0,
    supportsKernelTls: isEncrypted && !forceGrpcData && hasKernelTls(),
    forceGrpcData,
    streamsMax,
    supportsZstd: true,
  };
}
