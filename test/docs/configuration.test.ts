import { readFileSync } from "node:fs";
import t from "tap";
import { agentConfigSchema } from "../../agent/config.ts";
import { configJsonSchema, type z } from "../../runtime/config.ts";
import { serverConfigSchema } from "../../server/config.ts";
import { sectionOf, tableRows } from "../support/markdown.ts";

const page = readFileSync(new URL("../../docs/configuration.md", import.meta.url), "utf8");

interface Node {
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
}

interface Key {
  readonly name: string;
  readonly isRequired: boolean;
  readonly fallback: unknown;
}

function keysOf({ properties = {}, required = [] }: Node, prefix = ""): Key[] {
  return Object.entries(properties).flatMap(([key, node]) =>
    node.properties === undefined
      ? [{ name: prefix + key, isRequired: required.includes(key), fallback: node.default }]
      : keysOf(node, `${prefix}${key}.`),
  );
}

const DAEMONS: { heading: string; schema: z.ZodType }[] = [
  { heading: "## Server", schema: serverConfigSchema },
  { heading: "## Node agent", schema: agentConfigSchema },
];

for (const { heading, schema } of DAEMONS) {
  t.test(`docs/configuration.md, ${heading}: every key, and its default`, async (t) => {
    const keys = keysOf(configJsonSchema(schema, "") as Node);
    const rows = tableRows(sectionOf(page, heading));
    t.same(
      rows.map(([name]) => name),
      keys.map(({ name }) => `\`${name}\``),
    );
    for (const [i, { name, isRequired, fallback }] of keys.entries()) {
      const [, shown = "", meaning = ""] = rows[i] ?? [];
      t.not(meaning, "", name);
      if (isRequired) t.equal(shown, "required", name);
      else if (fallback === "") t.equal(shown, "empty", name);
      else if (fallback !== undefined)
        t.equal(
          shown,
          `\`${typeof fallback === "object" ? JSON.stringify(fallback) : fallback}\``,
          name,
        );
      else t.notMatch(shown, /^required$|^$/, name);
    }
  });
}
