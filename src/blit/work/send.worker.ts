/** The sending end of one data stream: files in, frames out. */

declare const self: Worker;

self.onmessage = () => {};

export {};
