import { expect } from "bun:test";
import * as abi from "../../../ffi/abi/socket.ts";
import { valuesInC } from "../../support/c-values.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

const headers = ["poll.h", "sys/socket.h", "netinet/in.h", "netinet/tcp.h"];

const testInC = testUnless(needsProgram("cc"));

testInC("socket constants have the values of the C headers", () => {
  const groups: [string, Record<string, number>][] = [
    ["", abi.SOCKET],
    ["", abi.SOCKET_OPTION],
    ["MSG_", abi.MSG],
    ["SHUT_", abi.SHUT],
    ["POLL", abi.POLL],
  ];
  const ours: Record<string, number> = {};
  for (const [prefix, values] of groups) {
    for (const [name, value] of Object.entries(values)) ours[prefix + name] = value;
  }
  const expressions = Object.fromEntries(Object.keys(ours).map((name) => [name, name]));
  expect(ours).toEqual(valuesInC(headers, expressions));
});

testInC("socket structures lie as the C compiler lays them", () => {
  const pollfd = valuesInC(headers, {
    size: "sizeof(struct pollfd)",
    fd: "offsetof(struct pollfd, fd)",
    events: "offsetof(struct pollfd, events)",
    revents: "offsetof(struct pollfd, revents)",
  });
  expect<Record<string, number>>(abi.POLLFD_LAYOUT).toEqual(pollfd);
  const ipv4 = valuesInC(headers, {
    size: "sizeof(struct sockaddr_in)",
    family: "offsetof(struct sockaddr_in, sin_family)",
    port: "offsetof(struct sockaddr_in, sin_port)",
    address: "offsetof(struct sockaddr_in, sin_addr)",
  });
  expect<Record<string, number>>(abi.SOCKADDR_IN_LAYOUT).toEqual(ipv4);
  const ipv6 = valuesInC(headers, {
    size: "sizeof(struct sockaddr_in6)",
    family: "offsetof(struct sockaddr_in6, sin6_family)",
    port: "offsetof(struct sockaddr_in6, sin6_port)",
    address: "offsetof(struct sockaddr_in6, sin6_addr)",
    scope: "offsetof(struct sockaddr_in6, sin6_scope_id)",
  });
  expect<Record<string, number>>(abi.SOCKADDR_IN6_LAYOUT).toEqual(ipv6);
});
