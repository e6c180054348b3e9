// Masks of SPIRE's API: a message with a flag for each field of another, which says which are meant.

/** Flags by the name of the field; a field whose flag is absent is not meant. */
export type Mask<T> = { readonly [K in keyof T]?: boolean | undefined };

/** Whether a field is meant; without a mask every field is. */
export function isMeant<M extends object>(mask: M | undefined, field: keyof M): boolean {
  return mask === undefined || mask[field] === true;
}

/** The message with the fields that `mask` means, and the one that is always sent. */
export function applyMask<T extends object, K extends keyof T>(
  message: T,
  mask: Mask<T> | undefined,
  always: K,
): Partial<T> {
  if (mask === undefined) return message;
  const masked: Partial<T> = { [always]: message[always] } as unknown as Partial<T>;
  for (const field of Object.keys(message) as (keyof T)[]) {
    if (mask[field] === true) masked[field] = message[field];
  }
  return masked;
}
