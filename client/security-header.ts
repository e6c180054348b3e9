/**
 * The header that every request to a node's socket carries, so that no browser can be tricked into making
 * one (Workload Endpoint s3).
 */
export const SECURITY_HEADER: Readonly<Record<string, string>> = { "workload.spiffe.io": "true" };
