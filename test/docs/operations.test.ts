import { readFileSync } from "node:fs";
import t from "tap";
import { sectionOf, tableRows } from "../support/markdown.ts";
import { TestTrustDomain } from "../support/trust-domain.ts";

const page = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");

t.test(
  "docs/operations.md lists the metrics that both daemons expose, and no others",
  async (t) => {
    const health = { port: 0 };
    const oauth = { issuer: "https://id.north.test", address: "127.0.0.1", port: 0, http: true };
    const domain = new TestTrustDomain(t, { server: { health, oauth }, agent: { health } });
    await domain.start();
    const found: string[] = [];
    for (const daemon of [domain.server, domain.agent]) {
      if (daemon?.healthAddress === undefined) throw new Error("there is no health listener");
      const { host, port } = daemon.healthAddress;
      const text = await (await fetch(`http://${host}:${port}/metrics`)).text();
      for (const [, name, type] of text.matchAll(/^# TYPE (signet_\S+) (\S+)$/gm)) {
        found.push(`\`${name}\` ${type}`);
      }
    }
    const listed = tableRows(sectionOf(page, "## Metrics")).map(
      ([name, type]) => `${name} ${type}`,
    );
    t.same(listed.toSorted(), found.toSorted());
  },
);
