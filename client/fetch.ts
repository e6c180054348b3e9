// One question to the Workload API at a time, each on a connection of its own: for programs that need an
// identity once. Programs that run longer hold an X509Source, a JwtSource or a WitSource.

import type { JwtBundles, ValidatedJwtSvid, WorkloadJwtSvid } from "./jwt-context.ts";
import type { WatchOptions } from "./watch.ts";
import type { WitBundles, WorkloadWitSvid } from "./wit/wit-context.ts";
import {
  type FetchOptions,
  type JwtRequest,
  type PickOptions,
  type WitRequest,
  WorkloadApi,
  type WorkloadApiOptions,
} from "./workload-api.ts";
import type { WorkloadX509Svid, X509Bundles, X509Context } from "./x509-context.ts";

/** The X509-SVID of this workload: the default one, or the one with `hint`. */
export function fetchX509Svid(
  options: PickOptions & WorkloadApiOptions = {},
): Promise<WorkloadX509Svid> {
  return once(options, (api) => api.fetchX509Svid(options));
}

/** The X.509 bundles that this workload may trust. */
export function fetchX509Bundles(
  options: FetchOptions & WorkloadApiOptions = {},
): Promise<X509Bundles> {
  return once(options, (api) => api.fetchX509Bundles(options));
}

/** A JWT-SVID of this workload for an audience. */
export function fetchJwtSvid(request: JwtRequest & WorkloadApiOptions): Promise<WorkloadJwtSvid> {
  return once(request, (api) => api.fetchJwtSvid(request));
}

/** The keys that verify JWT-SVIDs of the trust domains that this workload may trust. */
export function fetchJwtBundles(
  options: FetchOptions & WorkloadApiOptions = {},
): Promise<JwtBundles> {
  return once(options, (api) => api.fetchJwtBundles(options));
}

/** The WIT-SVID of this workload with its key: the default one, or the one with `hint`. */
export function fetchWitSvid(
  options: WitRequest & PickOptions & WorkloadApiOptions = {},
): Promise<WorkloadWitSvid> {
  return once(options, (api) => api.fetchWitSvid(options));
}

/** The keys that verify WIT-SVIDs of the trust domains that this workload may trust. */
export function fetchWitBundles(
  options: FetchOptions & WorkloadApiOptions = {},
): Promise<WitBundles> {
  return once(options, (api) => api.fetchWitBundles(options));
}

/** Has the agent validate a token that somebody presented; `audience` is this workload's own name. */
export function validateJwtSvid(
  token: string,
  audience: string,
  options: FetchOptions & WorkloadApiOptions = {},
): Promise<ValidatedJwtSvid> {
  return once(options, (api) => api.validateJwtSvid(token, audience, options));
}

/** Follows this workload's X.509 state: see `WorkloadApi.watchX509Context`. */
export async function* watchX509Context(
  options: WatchOptions & WorkloadApiOptions = {},
): AsyncGenerator<X509Context, void, undefined> {
  using api = new WorkloadApi(options);
  yield* api.watchX509Context(options);
}

async function once<T>(
  options: WorkloadApiOptions,
  ask: (api: WorkloadApi) => Promise<T>,
): Promise<T> {
  using api = new WorkloadApi(options);
  return await ask(api);
}
