/** The receiving end of one data stream: frames in, files out. */

declare const self: Worker;

self.onmessage = () => {};

export {};
