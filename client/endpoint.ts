// Where the Workload API is (SPIFFE Workload Endpoint s4): an explicit address, or the environment
// variable SPIFFE_ENDPOINT_SOCKET. Parsed character by character; a URL class would accept and repair
// addresses that the standard refuses.

import { isIPv4, isIPv6 } from "node:net";
import type { IdentityError } from "../pki/errors.ts";
import type { Address } from "../proto/rpc/client.ts";
import { clientError } from "./errors.ts";

export const ENDPOINT_VARIABLE = "SPIFFE_ENDPOINT_SOCKET";

/** Longest path that fits a unix socket's address on Linux, in bytes. */
const MAX_SOCKET_PATH_BYTES = 107;

/**
 * The endpoint to use: `explicit` if given, otherwise what the environment says.
 * @throws ENDPOINT_MISSING, ENDPOINT_INVALID
 */
export function findEndpoint(
  explicit?: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Address {
  const address = explicit ?? environment[ENDPOINT_VARIABLE];
  if (address === undefined || address === "") {
    throw clientError(
      "ENDPOINT_MISSING",
      `${ENDPOINT_VARIABLE} is not set and no endpoint is given`,
      {
        hint: `set ${ENDPOINT_VARIABLE}, for example to unix:///run/signet/agent.sock`,
      },
    );
  }
  return parseEndpoint(address);
}

/**
 * Parses `unix:///absolute/path` (or `unix:/absolute/path`) or `tcp://IP:PORT`.
 * @throws ENDPOINT_INVALID
 */
export function parseEndpoint(address: string): Address {
  if (!/^[\x21-\x7e]*$/.test(address)) {
    throw invalid(address, "it has spaces, control characters or characters outside ASCII");
  }
  if (address.startsWith("unix:")) return { unix: parseUnixPath(address) };
  if (address.startsWith("tcp://")) return parseTcp(address);
  throw invalid(address, 'it starts with neither "unix:///" nor "tcp://"');
}

function parseUnixPath(address: string): string {
  let path = address.slice("unix:".length);
  if (path.startsWith("//")) {
    path = path.slice(2);
    if (path !== "" && !path.startsWith("/")) throw invalid(address, "it names a host");
  }
  if (!path.startsWith("/") || path === "/") throw invalid(address, "its path is not absolute");
  if (/[?#]/.test(path)) throw invalid(address, "it has a query or a fragment");
  let decoded: string;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    throw invalid(address, "it has a percent sign that encodes nothing");
  }
  if (decoded.includes("\0")) throw invalid(address, "its path has a zero byte");
  if (Buffer.byteLength(decoded) > MAX_SOCKET_PATH_BYTES) {
    throw invalid(address, `its path is longer than ${MAX_SOCKET_PATH_BYTES} bytes`);
  }
  return decoded;
}

function parseTcp(address: string): Address {
  const match = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+)):([1-9][0-9]{0,4})$/.exec(address);
  const [, v6, v4, digits] = match ?? [];
  const host = v6 ?? v4 ?? "";
  const port = Number(digits);
  const isAddress = v6 === undefined ? isIPv4(host) : isIPv6(host);
  if (!isAddress || !(port <= 65_535)) {
    throw invalid(address, "after tcp:// comes an IP address and a port, and nothing else");
  }
  return { host, port };
}

function invalid(address: string, why: string): IdentityError {
  const shown = JSON.stringify(address.length > 200 ? `${address.slice(0, 200)}...` : address);
  return clientError("ENDPOINT_INVALID", `${shown} is not a Workload API endpoint: ${why}`, {
    hint: "write it as unix:///absolute/path or tcp://IP:PORT",
  });
}
