import t from "tap";
import type { Flag } from "../../cli/command.ts";
import { respell } from "../../cli/spelling.ts";

const FLAGS: Flag[] = [
  { name: "parent-id", value: "<id>", description: "" },
  { name: "x509-svid-ttl", value: "<duration>", description: "" },
  { name: "dns", value: "<name>", description: "" },
  { name: "admin", description: "" },
  { name: "admin-socket", value: "<path>", description: "" },
];

const ROWS: { name: string; args: string[]; flags?: Flag[]; expected: string[] }[] = [
  { name: "ours", args: ["--parent-id", "x"], expected: ["--parent-id", "x"] },
  { name: "SPIRE's, one dash", args: ["-parentID", "x"], expected: ["--parent-id", "x"] },
  { name: "SPIRE's, two dashes", args: ["--parentID=x=y"], expected: ["--parent-id=x=y"] },
  { name: "initialisms", args: ["-x509SVIDTTL", "60"], expected: ["--x509-svid-ttl", "60"] },
  { name: "another name", args: ["-socketPath", "/s"], expected: ["--admin-socket", "/s"] },
  {
    name: "another name, for the other socket",
    args: ["-socketPath", "/s"],
    flags: [{ name: "socket", value: "<address>", description: "" }],
    expected: ["--socket", "/s"],
  },
  { name: "switched on", args: ["-admin"], expected: ["--admin"] },
  { name: "switched on by value", args: ["-admin=true"], expected: ["--admin"] },
  { name: "switched off", args: ["--admin=false"], expected: ["--no-admin"] },
  { name: "an empty value", args: ["-dns="], expected: ["--dns="] },
  { name: "values that look alike", args: ["-dns", "parentID"], expected: ["--dns", "parentID"] },
  { name: "unknown flags", args: ["-nope", "--nope=1"], expected: ["-nope", "--nope=1"] },
  { name: "short flags", args: ["-h", "-"], expected: ["-h", "-"] },
  { name: "what follows --", args: ["--", "-admin"], expected: ["--", "-admin"] },
];
for (const { name, args, flags = FLAGS, expected } of ROWS) {
  t.test(`spells ${name}`, async (t) => {
    t.same(respell(args, flags), expected);
  });
}
