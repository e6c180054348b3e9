// `signet version`: which version this is, which revision of the SPIFFE standards it follows, and which
// of them are incubating and so have a feature flag (Stability s2.3). No daemon is asked.

import { FEATURE_FLAGS, STANDARDS_REVISION } from "../runtime/feature-flags.ts";
import type { Command } from "./command.ts";
import { formatRecord } from "./output.ts";
import { readVersion } from "./package-version.ts";

export const command: Command = {
  description: "Prints the version of this program.",
  flags: [
    { name: "verbose", description: "also the revision of the SPIFFE standards that it follows" },
  ],
  examples: [["signet version --verbose", "for a report of a fault"]],
  async run(input, output) {
    const version = readVersion();
    const incubating = Object.entries(FEATURE_FLAGS).map(
      ([feature_flag, { standard, revision }]) => {
        return { feature_flag, standard, revision };
      },
    );
    const json = { version, node: process.version, standards: STANDARDS_REVISION, incubating };
    output.show(json, () => {
      if (!input.isOn("verbose")) return version;
      return formatRecord([
        ["Version", version],
        ["Node", process.version],
        ["SPIFFE standards", STANDARDS_REVISION],
        ...incubating.map(({ feature_flag, standard, revision }): [string, string] => [
          "Incubating",
          `${standard}: ${revision}, off unless feature_flags has ${feature_flag}`,
        ]),
      ]);
    });
  },
};
