// Kinds of values that sections of the server's configuration have in common.
import { KEY_TYPES, type KeyType } from "../../pki/keys.ts";
import { duration, z } from "../../runtime/config.ts";

const SECOND_MS = 1000;
const YEAR_MS = 366 * 24 * 3600 * SECOND_MS;

/** A lifetime: whole seconds in the checked configuration. */
export const lifetime: z.ZodType<number, string> = duration({
  minMs: SECOND_MS,
  maxMs: 10 * YEAR_MS,
}).transform((ms) => Math.floor(ms / SECOND_MS));
/** A TCP port; 0 lets the system choose. */
export const port: z.ZodInt = z.int().min(0).max(65_535);
export const text: z.ZodString = z.string().min(1).max(255);
export const path: z.ZodString = z.string().min(1).max(4096);
export const keyType: z.ZodType<KeyType, KeyType> = z.enum(
  KEY_TYPES as readonly [KeyType, ...KeyType[]],
);

/** A string that one of our parsers accepts. */
export function parsedBy<T>(parse: (value: string) => T): z.ZodType<T, string> {
  return z.string().transform((value, context): T => {
    try {
      return parse(value);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      context.issues.push({ code: "custom", message, input: value });
      return z.NEVER;
    }
  });
}
