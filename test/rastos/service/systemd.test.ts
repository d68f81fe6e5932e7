import { expect, test } from "bun:test";
import { systemdUnit } from "../../../src/rastos/service/systemd.ts";
import { makeServices } from "../../support/service-definitions.ts";

test("a service as a unit", () => {
  const all = makeServices({
    web: {
      description: "The web",
      exec: ["/usr/bin/web", "--name", 'a "b" $HOME 100%'],
      pre: [["/bin/true", ""]],
      requires: ["db"],
      wants: ["network"],
      after: ["log"],
      user: "http",
      environment: { MODE: "two words" },
      restart: "always",
      watchdog: "30s",
      stop_signal: "INT",
      limits: { nofile: 4096, memory: "1G", cpu: "150%" },
      ready: { tcp: "80" },
    },
    db: {},
    network: { type: "target" },
    log: {},
  });
  const web = all.get("web");
  if (web === undefined) throw new Error("no service");
  const { name, content, notes } = systemdUnit(web, all);
  expect([name, notes]).toEqual(["web.service", ['"ready" has no counterpart']]);
  expect(content).toMatchInlineSnapshot(`
    "# Made by \`rastos service emit\`; changes are lost when it is made again.

    [Unit]
    Description=The web
    Requires=db.service
    Wants=network.target
    After=db.service network.target log.service
    StartLimitIntervalSec=120
    StartLimitBurst=8

    [Service]
    Type=exec
    ExecStartPre=/bin/true ""
    ExecStart=/usr/bin/web --name "a \\"b\\" $$HOME 100%%"
    User=http
    WorkingDirectory=/
    UMask=022
    Environment="MODE=two words"
    Restart=always
    RestartSec=0.2
    TimeoutStartSec=60
    TimeoutStopSec=10
    KillSignal=SIGINT
    KillMode=control-group
    WatchdogSec=30
    NotifyAccess=main
    LimitNOFILE=4096
    MemoryMax=1073741824
    CPUQuota=150%

    [Install]
    WantedBy=multi-user.target
    "
  `);
});

test("targets are targets, and those that systemd has are its own", () => {
  const all = makeServices({
    default: { type: "target", wants: ["kiosk"] },
    kiosk: { type: "target", requires: ["default"] },
  });
  const units = [...all.values()].map((one) => systemdUnit(one, all));
  expect(units.map(({ name }) => name)).toEqual(["multi-user.target", "kiosk.target"]);
  expect(units[1]?.content).toContain("Requires=multi-user.target\nAfter=multi-user.target\n");
  expect(units[1]?.content).not.toContain("[Install]");
});
