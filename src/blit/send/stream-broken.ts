/** A stream that cannot go on: its socket failed, or the other side broke the rules. */
export class StreamBroken extends Error {
  override readonly name = "StreamBroken";
  /** -errno. */
  readonly result: number;
  readonly side: "send" | "receive" | "protocol";

  constructor(result: number, side: "send" | "receive" | "protocol", detail: string) {
    super(detail);
    this.result = result;
    this.side = side;
  }
}
