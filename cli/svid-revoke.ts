// `signet svid revoke`.

import type { Init } from "../proto/codec.ts";
import { codecOf, RevocationService, type signet } from "../proto/schema.gen.ts";
import { spiffeIdToWire } from "../proto/types/spiffe-id.ts";
import { withServer } from "./admin-channel.ts";
import type { Command, Input } from "./command.ts";
import { ADMIN_SOCKET, misuse, parseId, parseWord } from "./flags.ts";
import { formatRevoked, parseSerial, REASONS } from "./svid-output.ts";

export const command: Command = {
  description:
    "Revokes an SVID before it expires, or all of a SPIFFE ID. Its holder gets no new one until it is released.",
  flags: [
    {
      name: "serial",
      value: "<number>",
      description: "serial number of an X509-SVID: hexadecimal (7f:03:... or 7f03...), or dec:1234",
    },
    { name: "jti", value: "<id>", description: "jti of a JWT-SVID or WIT-SVID" },
    {
      name: "spiffe-id",
      value: "<id>",
      description:
        "every SVID of this SPIFFE ID, on every node, minted ones too; its open tasks end",
    },
    {
      name: "reason",
      value: "<reason>",
      description: Object.keys(REASONS).join(", "),
      defaultValue: "unspecified",
    },
    {
      name: "replace",
      description: "hold nothing back: the holder gets a new SVID with a new key at once",
    },
    { name: "force", description: "also what this server does not know to have issued" },
    ADMIN_SOCKET,
  ],
  examples: [
    [
      "signet svid revoke --spiffe-id spiffe://example.test/web --reason key-compromise",
      "a workload was taken over",
    ],
    [
      "signet svid revoke --serial 5d:0a:71:3e --reason key-compromise --replace",
      "a key leaked, and the workload is sound",
    ],
  ],
  async run(input, output) {
    const request = requestFrom(input);
    const response = await withServer(input, (channel) =>
      channel.client(RevocationService).revokeSVID(request),
    );
    const codec = codecOf("signet.revocation.v1.RevokeSVIDResponse");
    output.show(codec.toJson(response), () =>
      formatRevoked(response.revocation, response.tasksEnded),
    );
  },
};

function requestFrom(input: Input): Init<signet.revocation.v1.RevokeSVIDRequest> {
  const [serial, jti, id] = ["serial", "jti", "spiffeId"].map((flag) => input.text(flag));
  const given = [serial, jti, id].filter((value) => value !== undefined);
  if (given.length !== 1) {
    throw misuse(
      given.length === 0
        ? "what to revoke is missing: --serial, --jti or --spiffe-id"
        : "only one of --serial, --jti and --spiffe-id can be revoked at a time",
    );
  }
  const replace = input.isOn("replace");
  const reason = parseWord(input.text("reason") ?? "unspecified", REASONS, "--reason");
  const common = { reason, replace, force: input.isOn("force") };
  if (serial !== undefined) return { ...common, serial: parseSerial(serial) };
  if (jti === "") throw misuse("--jti is empty");
  if (jti !== undefined) return { ...common, jti };
  if (replace) {
    throw misuse("--replace goes with --serial or --jti", {
      hint: "revoke the SPIFFE ID without it, then 'signet svid release'",
    });
  }
  return { ...common, spiffeId: spiffeIdToWire(parseId(id ?? "", "--spiffe-id")) };
}
