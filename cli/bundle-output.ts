// How bundles are printed: as PEM, as the SPIFFE bundle document, or as the API's JSON.

import { formatBundle } from "../pki/bundle/format.ts";
import { formatBundleMap } from "../pki/bundle/map.ts";
import { formatPem } from "../pki/x509/pem.ts";
import { codecOf, type spire } from "../proto/schema.gen.ts";
import { bundleFromWire } from "../proto/types/bundle.ts";
import type { Flag, Input } from "./command.ts";
import { misuse, parseWord } from "./flags.ts";
import type { Output } from "./output.ts";

type Wire = spire.api.types.Bundle;

export const FORMAT: Flag = formatFlag("");
/** As FORMAT, where there are bundles of several trust domains. */
export const LIST_FORMAT: Flag = formatFlag(", or map (all of them in one SPIFFE bundle map)");

function formatFlag(more: string): Flag {
  const description = `pem (the X.509 authorities) or spiffe (the whole bundle as a SPIFFE bundle document)${more}`;
  return { name: "format", value: "<format>", description, defaultValue: "pem" };
}

/** A bundle map of these bundles; of two of one trust domain the later one counts. */
export function mapOf(bundles: readonly Wire[]): string {
  const each = new Map(bundles.map((wire) => [wire.trustDomain, wire]));
  return formatBundleMap([...each.values()].map((wire) => bundleFromWire(wire)));
}

type Formatter = (bundle: Wire) => string;
const FORMATS: Readonly<Record<string, Formatter>> = {
  pem: (wire) =>
    wire.x509Authorities
      .map(({ asn1 }) => formatPem("CERTIFICATE", asn1))
      .join("")
      .trimEnd(),
  spiffe: (wire) => formatBundle(bundleFromWire(wire)),
};

/** Writes a bundle in the format that was asked for. */
export function formatterFrom(input: Input): Formatter {
  return parseWord(input.text("format") ?? "pem", FORMATS, "--format");
}

/** As `formatterFrom`; undefined when a bundle map was asked for. */
export function listFormatterFrom(input: Input, output: Output): Formatter | undefined {
  const formats = { ...FORMATS, map: undefined };
  const format = parseWord<Formatter | undefined>(
    input.text("format") ?? "pem",
    formats,
    "--format",
  );
  if (format === undefined && output.isJson)
    throw misuse("--format map is a JSON document of its own: leave --output out");
  return format;
}

export function bundleToJson(bundle: Wire): unknown {
  return codecOf("spire.api.types.Bundle").toJson(bundle);
}
