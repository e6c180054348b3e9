// What a message signature signs (RFC 9421 s2): a line for each covered component, then the parameters.
// Only what the WIMSE profile needs: the target, and fields as they are.

import { fieldValues, type HttpRequest, pathOf, unbound } from "./http-request.ts";
import { formatInnerList, type InnerList, type Item, isSfString } from "./structured-fields.ts";

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/**
 * The bytes to sign. Components with parameters of their own, and derived ones beyond method, target, path
 * and query, are not known here.
 * @throws WIT_PROOF_BINDING when a component is unknown, absent, or named twice
 */
export function signatureBase(request: HttpRequest, list: InnerList): Uint8Array {
  const seen = new Set<string>();
  const lines = list.items.map((item) => {
    const name = nameOf(item);
    if (seen.has(name)) throw unbound(`it covers "${name}" twice`);
    seen.add(name);
    const value = componentValue(request, name);
    // A line break in a value would let one field speak for another.
    if (!isSfString(value)) throw unbound(`"${name}" has characters outside visible ASCII`);
    return `"${name}": ${value}`;
  });
  lines.push(`"@signature-params": ${formatInnerList(list)}`);
  return Buffer.from(lines.join("\n"), "latin1");
}

function nameOf({ value, parameters }: Item): string {
  if (typeof value !== "string") throw unbound("it covers something that is not named by a string");
  if (parameters.size > 0) throw unbound(`it covers "${value}" in a way that is not known here`);
  return value;
}

function componentValue(request: HttpRequest, name: string): string {
  const { method, target } = request;
  switch (name) {
    case "@method":
      return method;
    case "@request-target":
      return target;
    case "@path":
      return pathOf(request);
    case "@query":
      return target.slice(pathOf(request).length) || "?";
    default: {
      if (!FIELD_NAME.test(name)) throw unbound(`it covers ${JSON.stringify(name.slice(0, 100))}`);
      const values = fieldValues(request, name);
      if (values.length === 0) throw unbound(`it covers "${name}", which is not there`);
      return values.join(", ");
    }
  }
}
