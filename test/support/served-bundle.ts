// The bundle endpoint of a running server, and a client of it that is told by no library what to think.
import { once } from "node:events";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { Test } from "tap";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import type { ClientOf } from "../../proto/rpc/client.ts";
import { LocalAuthorityService } from "../../proto/schema.gen.ts";
import { parseConfig } from "../../runtime/config.ts";
import { serverConfigSchema } from "../../server/config.ts";
import { TestServer, type TestServerOptions } from "./running-server.ts";

export const north: TrustDomain = TrustDomain.parse("north.test");

export interface Endpoint {
  readonly server: TestServer;
  readonly port: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

export async function startEndpoint(
  t: Test,
  more = "profile: https_spiffe",
  options: TestServerOptions = {},
): Promise<Endpoint> {
  const server = await TestServer.start({
    ...options,
    config: `federation: { bundle_endpoint: { address: 127.0.0.1, port: 0, ${more} } }\n${options.config ?? ""}`,
  });
  t.teardown(() => server.stop());
  return { server, port: server.running.documents.bundleEndpoint?.port ?? 0 };
}

/** Any authority is good here: what is shown is judged by the tests that are about it. */
export async function dial(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect");
  return socket;
}

export async function ask(
  port: number,
  { method = "GET", path = "/", headers = "", tls = {} as ConnectionOptions } = {},
): Promise<Answer> {
  const socket = await dial(port, tls);
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: any\r\nConnection: close\r\n${headers}\r\n`);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  const whole = Buffer.concat(chunks);
  const end = whole.indexOf("\r\n\r\n");
  const [first = "", ...lines] = whole.subarray(0, end).toString("latin1").split("\r\n");
  const fields = lines.map((line) => line.split(/: (.*)/s, 2) as [string, string]);
  return {
    status: Number(first.split(" ")[1]),
    headers: Object.fromEntries(fields.map(([name, value]) => [name.toLowerCase(), value])),
    body: whole.subarray(end + 4),
  };
}

export type Jwk = Record<string, unknown>;

export interface Document {
  readonly keys: Jwk[];
  readonly spiffe_sequence: number;
  readonly spiffe_refresh_hint: number;
}

export const get = async (port: number): Promise<Document> =>
  JSON.parse((await ask(port)).body.toString());
export const ofUse = ({ keys }: Document, use: string): Jwk[] =>
  keys.filter((key) => key["use"] === use);
export const authoritiesOf = ({ server }: Endpoint): ClientOf<typeof LocalAuthorityService> =>
  server.admin.client(LocalAuthorityService);

/** Prepares a second key of each kind. */
export async function prepareAll(
  endpoint: Endpoint,
  kinds: readonly ("X509" | "JWT" | "WIT")[],
): Promise<void> {
  for (const kind of kinds) await authoritiesOf(endpoint)[`prepare${kind}Authority`]({});
}

/** Replaces the X.509 authority and takes the former one out of the bundle. */
export async function replaceX509(endpoint: Endpoint): Promise<void> {
  const authorities = authoritiesOf(endpoint);
  const { active } = await authorities.getX509AuthorityState({});
  const { preparedAuthority } = await authorities.prepareX509Authority({});
  await authorities.activateX509Authority({ authorityId: preparedAuthority?.authorityId ?? "" });
  const authorityId = active?.authorityId ?? "";
  await authorities.taintX509Authority({ authorityId });
  await authorities.revokeX509Authority({ authorityId });
}

export function problemOf(endpoint: string): string {
  const text = `trust_domain: north.test\ndata_dir: /tmp/none\nfederation: { bundle_endpoint: { port: 8443, ${endpoint} } }`;
  try {
    parseConfig(text, serverConfigSchema, "server.yaml");
    return "";
  } catch (error) {
    return (error as Error).message;
  }
}
