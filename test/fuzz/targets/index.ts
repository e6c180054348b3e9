// The table of fuzz targets: every parser of bytes from outside.
import type { FuzzTarget } from "../target.ts";
import { bundle } from "./bundle.ts";
import { bundleMap } from "./bundle-map.ts";
import { certificate, pem } from "./certificate.ts";
import { crl } from "./crl.ts";
import { csr } from "./csr.ts";
import { endpointUrl } from "./endpoint-url.ts";
import { apiTypes, grpcRequest } from "./grpc.ts";
import { json } from "./json.ts";
import { jwtSvid } from "./jwt-svid.ts";
import { path } from "./path.ts";
import { spiffeId } from "./spiffe-id.ts";
import { proof, witSvid } from "./wit.ts";

export const TARGETS: readonly FuzzTarget[] = [
  spiffeId,
  csr,
  certificate,
  pem,
  crl,
  path,
  jwtSvid,
  witSvid,
  proof,
  bundle,
  bundleMap,
  json,
  grpcRequest,
  apiTypes,
  endpointUrl,
];
