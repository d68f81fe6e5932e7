#!/usr/bin/env bun
import { appletFor } from "../src/applets.ts";
import { runCommand } from "../src/kit/cli/run.ts";

const { name, spec } = await appletFor(process.argv0);
const code = await runCommand({ spec, name, argv: process.argv.slice(2) });
// Every write is synchronous, so nothing is lost; and what an engine may have left open (a socket,
// an idle worker) must not keep the process alive.
process.exit(code);
