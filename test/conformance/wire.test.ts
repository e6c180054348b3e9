// What is on the wire: the Workload API as a running endpoint describes itself by reflection, compared with
// the standard's table of methods, messages and field numbers.
import descriptor from "protobufjs/ext/descriptor.js";
import t from "tap";
import { ServerReflectionService } from "../../proto/schema.gen.ts";
import { first, TestAgent, TestPeer } from "../support/test-agent.ts";

const METHODS = [
  "FetchX509SVID X509SVIDRequest -> stream X509SVIDResponse",
  "FetchX509Bundles X509BundlesRequest -> stream X509BundlesResponse",
  "FetchJWTSVID JWTSVIDRequest -> JWTSVIDResponse",
  "FetchJWTBundles JWTBundlesRequest -> stream JWTBundlesResponse",
  "ValidateJWTSVID ValidateJWTSVIDRequest -> ValidateJWTSVIDResponse",
  "FetchWITSVID WITSVIDRequest -> stream WITSVIDResponse",
  "FetchWITBundles WITBundlesRequest -> stream WITBundlesResponse",
];

const MESSAGES: Record<string, readonly string[]> = {
  X509SVIDRequest: [],
  X509SVIDResponse: [
    ...[
      "1 svids repeated X509SVID",
      "2 crl repeated bytes",
      "3 federated_bundles map string,bytes",
    ],
  ],
  X509SVID: [
    "1 spiffe_id string",
    "2 x509_svid bytes",
    "3 x509_svid_key bytes",
    "4 bundle bytes",
    "5 hint string",
  ],
  X509BundlesRequest: [],
  X509BundlesResponse: ["1 crl repeated bytes", "2 bundles map string,bytes"],
  JWTSVIDRequest: ["1 audience repeated string", "2 spiffe_id string"],
  JWTSVIDResponse: ["1 svids repeated JWTSVID"],
  JWTSVID: ["1 spiffe_id string", "2 svid string", "3 hint string"],
  JWTBundlesRequest: [],
  JWTBundlesResponse: ["1 bundles map string,bytes"],
  ValidateJWTSVIDRequest: ["1 audience string", "2 svid string"],
  ValidateJWTSVIDResponse: ["1 spiffe_id string", "2 claims google.protobuf.Struct"],
};

interface Field {
  readonly name: string;
  readonly number: number;
  /** 3: repeated. */
  readonly label: number;
  /** 9 string, 11 message, 12 bytes. */
  readonly type: number;
  readonly typeName: string;
}

interface Message {
  readonly name: string;
  readonly field: readonly Field[];
  readonly nestedType: readonly Message[];
}

interface File {
  readonly messageType: readonly Message[];
  readonly service: readonly { readonly name: string; readonly method: readonly Method[] }[];
  readonly package: string;
}

interface Method {
  readonly name: string;
  readonly inputType: string;
  readonly outputType: string;
  readonly clientStreaming: boolean;
  readonly serverStreaming: boolean;
}

/** The file in which the endpoint describes the service. */
async function described(t: { teardown(fn: () => unknown): void }): Promise<File> {
  const agent = await TestAgent.create(t);
  const channel = await agent.channel(new TestPeer(), {});
  const call = channel.client(ServerReflectionService).serverReflectionInfo();
  await call.send({ host: "", fileContainingSymbol: "SpiffeWorkloadAPI" });
  const files = (await first(call.responses)).fileDescriptorResponse?.fileDescriptorProto ?? [];
  const [file] = files.map((bytes) => descriptor.FileDescriptorProto.decode(bytes));
  return file as unknown as File;
}

function fieldsOf({ field, nestedType }: Message): string[] {
  return field.map(({ name, number, label, type, typeName }) => {
    const entry = nestedType.find((nested) => typeName.endsWith(`.${nested.name}`));
    if (entry) return `${number} ${name} map ${typesOf(entry)}`;
    const kind = type === 11 ? typeName.slice(1) : nameOf(type);
    return `${number} ${name} ${label === 3 ? "repeated " : ""}${kind}`;
  });
}

const nameOf = (type: number): string => ({ 9: "string", 12: "bytes" })[type] ?? `type ${type}`;
const typesOf = ({ field }: Message): string => field.map(({ type }) => nameOf(type)).join();

t.test("WL-05, EP-22 the service is the standard's, to the field number", async (t) => {
  const file = await described(t);
  t.equal(file.package, "", "no package");
  t.strictSame(
    file.service.map(({ name }) => name),
    ["SpiffeWorkloadAPI"],
  );
  t.strictSame(
    file.service[0]?.method.map(({ name, inputType, outputType, ...method }) => {
      const [sent, answered] = [method.clientStreaming, method.serverStreaming];
      const request = (sent ? "stream " : "") + inputType.slice(1);
      return `${name} ${request} -> ${answered ? "stream " : ""}${outputType.slice(1)}`;
    }),
    METHODS,
  );
  const served = new Map(file.messageType.map((message) => [message.name, fieldsOf(message)]));
  for (const [name, fields] of Object.entries(MESSAGES))
    t.strictSame(served.get(name), fields, name);
});
