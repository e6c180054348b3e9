import { readFileSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";
import descriptor from "protobufjs/ext/descriptor.js";
import t from "tap";
import { generateSchema } from "../../proto/generate.ts";
import { FILES, SpiffeWorkloadApi, SvidService } from "../../proto/schema.gen.ts";

const FOLDER = join(import.meta.dirname, "../../proto");

t.test("schema.gen.ts is what the .proto files say", async (t) => {
  const written = readFileSync(join(FOLDER, "schema.gen.ts"), "utf8");
  t.ok(written === generateSchema(FOLDER), "run 'npm run generate'");
});

t.test("the Workload API has no package in its paths", async (t) => {
  const paths = Object.values(SpiffeWorkloadApi.methods).map(({ path, kind }) => [path, kind]);
  t.same(paths, [
    ["/SpiffeWorkloadAPI/FetchX509SVID", "serverStream"],
    ["/SpiffeWorkloadAPI/FetchX509Bundles", "serverStream"],
    ["/SpiffeWorkloadAPI/FetchJWTSVID", "unary"],
    ["/SpiffeWorkloadAPI/FetchJWTBundles", "serverStream"],
    ["/SpiffeWorkloadAPI/ValidateJWTSVID", "unary"],
    ["/SpiffeWorkloadAPI/FetchWITSVID", "serverStream"],
    ["/SpiffeWorkloadAPI/FetchWITBundles", "serverStream"],
  ]);
  t.equal(
    SvidService.methods.batchNewX509SVID.path,
    "/spire.api.server.svid.v1.SVID/BatchNewX509SVID",
  );
});

t.test("the embedded file descriptors describe the same messages", async (t) => {
  const set = {
    file: FILES.map((file) =>
      descriptor.FileDescriptorProto.decode(Buffer.from(file.descriptor, "base64")),
    ),
  };
  const root = protobuf.Root.fromDescriptor(descriptor.FileDescriptorSet.encode(set).finish());
  for (const file of FILES) {
    for (const name of file.messages) t.ok(root.lookupType(`.${name}`), name);
    for (const name of file.services) t.ok(root.lookupService(`.${name}`), name);
  }
  const type = root.lookupType(".X509SVIDResponse");
  const bytes = type.encode({ federatedBundles: { "spiffe://a": Buffer.from("x") } }).finish();
  const { methods } = SpiffeWorkloadApi;
  const read = methods.fetchX509SVID.response.decode(bytes);
  t.equal(Buffer.from(read.federatedBundles["spiffe://a"] ?? []).toString(), "x");
});
