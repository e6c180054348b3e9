import t from "tap";
import { addHealth, HealthStatuses, WHOLE_SERVER } from "../../../proto/rpc/health.ts";
import { pairInProcess } from "../../../proto/rpc/in-process.ts";
import { addReflection } from "../../../proto/rpc/reflection.ts";
import { createRpcServer } from "../../../proto/rpc/server.ts";
import {
  EntryService,
  HealthService,
  ServerReflectionService,
  ServerReflectionV1AlphaService,
  SpiffeWorkloadApi,
} from "../../../proto/schema.gen.ts";

async function serve(t: typeof import("tap").t | import("tap").Test) {
  const server = createRpcServer({ onInternalError: () => undefined });
  const statuses = new HealthStatuses();
  server.add(SpiffeWorkloadApi, {});
  server.add(EntryService, {}, { isPublic: false });
  addHealth(server, statuses);
  addReflection(server);
  const pair = await pairInProcess(server);
  t.teardown(() => pair.close());
  return { statuses, channel: await pair.connect("peer") };
}

t.test("health follows what was set, and unknown services are not found", async (t) => {
  const { statuses, channel } = await serve(t);
  const health = channel.client(HealthService);
  t.equal((await health.check({})).status, 2, "not serving before it says so");
  const watch = health.watch({});
  t.equal((await watch.next()).value?.status, 2);
  statuses.set(WHOLE_SERVER, true);
  statuses.set("SpiffeWorkloadAPI", false);
  t.equal((await watch.next()).value?.status, 1);
  t.equal((await health.check({})).status, 1);
  t.equal((await health.check({ service: "SpiffeWorkloadAPI" })).status, 2);
  await t.rejects(health.check({ service: "nope" }), { code: 5 });
  const unknown = health.watch({ service: "nope" });
  t.equal((await unknown.next()).value?.status, 3);
  t.same(Object.keys((await health.list({})).statuses).sort(), ["", "SpiffeWorkloadAPI"]);
  await watch.return?.();
  await unknown.return?.();
});

const VERSIONS = [
  { name: "v1", service: ServerReflectionService },
  { name: "v1alpha", service: ServerReflectionV1AlphaService },
];
for (const { name, service } of VERSIONS) {
  t.test(`reflection ${name} shows what is public, and nothing else`, async (t) => {
    const { channel } = await serve(t);
    const call = channel.client(service).serverReflectionInfo();
    const ask = async (request: Parameters<typeof call.send>[0]) => {
      await call.send(request);
      return (await call.responses.next()).value;
    };
    const listed = (await ask({ listServices: "*" }))?.listServicesResponse?.service;
    t.same(
      listed?.map((item: { name: string }) => item.name),
      [
        "SpiffeWorkloadAPI",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
      ],
    );
    for (const symbol of ["SpiffeWorkloadAPI", "SpiffeWorkloadAPI.FetchX509SVID", "X509SVID"]) {
      const found = (await ask({ fileContainingSymbol: symbol }))?.fileDescriptorResponse;
      t.equal(found?.fileDescriptorProto.length, 2, `${symbol} comes with what its file imports`);
    }
    t.ok((await ask({ fileByFilename: "google/struct.proto" }))?.fileDescriptorResponse);
    for (const hidden of ["spire.api.server.entry.v1.Entry", "spire.api.types.Entry", "X"]) {
      t.equal((await ask({ fileContainingSymbol: hidden }))?.errorResponse?.errorCode, 5, hidden);
    }
    t.equal((await ask({ fileByFilename: "spire/entry.proto" }))?.errorResponse?.errorCode, 5);
    t.equal((await ask({ allExtensionNumbersOfType: "X" }))?.errorResponse?.errorCode, 5);
    call.end();
    t.equal((await call.responses.next()).done, true);
  });
}
