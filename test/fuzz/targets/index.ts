// The table of fuzz targets: every parser of bytes from outside.
import type { FuzzTarget } from "../target.ts";
import { accessToken, jwks } from "./access-token.ts";
import { action, location } from "./action.ts";
import { auditLog, auditProof } from "./audit.ts";
import { bundle } from "./bundle.ts";
import { bundleMap } from "./bundle-map.ts";
import { canonical } from "./canonical-json.ts";
import { certificate, pem } from "./certificate.ts";
import { crl } from "./crl.ts";
import { csr } from "./csr.ts";
import { declared } from "./declared.ts";
import { endpointUrl } from "./endpoint-url.ts";
import { apiTypes, grpcRequest } from "./grpc.ts";
import { guardCredential } from "./guard-credential.ts";
import { httpActionOf, mcpMessage } from "./guard-requests.ts";
import { json } from "./json.ts";
import { jwtSvid } from "./jwt-svid.ts";
import { mandateJson, mandateOrder, mandateWire } from "./mandate.ts";
import { merkle } from "./merkle.ts";
import { signedNote } from "./note.ts";
import { oauthForm } from "./oauth.ts";
import { path } from "./path.ts";
import { spiffeId } from "./spiffe-id.ts";
import { statusList, statusListToken } from "./status-list.ts";
import { taskMessages, taskStatuses } from "./task-messages.ts";
import { dpopProof, taskProof } from "./task-proofs.ts";
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
  accessToken,
  jwks,
  dpopProof,
  taskProof,
  statusList,
  statusListToken,
  mandateWire,
  mandateJson,
  mandateOrder,
  action,
  location,
  canonical,
  signedNote,
  merkle,
  auditLog,
  auditProof,
  declared,
  oauthForm,
  guardCredential,
  httpActionOf,
  mcpMessage,
  taskMessages,
  taskStatuses,
];
