// The DNS names that an SVID may carry (RFC 5280 s4.2.1.6, RFC 1034 s3.5).

const MAX_DNS_NAME_LENGTH = 253;
const LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;

/**
 * Whether a string is a DNS name: labels of letters, digits, dashes and underscores; the first may
 * be `*` when others follow. Nothing that could be read as another kind of name passes.
 */
export function isDnsName(name: string): boolean {
  if (name.length === 0 || name.length > MAX_DNS_NAME_LENGTH) return false;
  const labels = name.split(".");
  if (labels[0] === "*" && labels.length > 1) labels.shift();
  return labels.every((label) => LABEL.test(label));
}
