/** Labels as people say and type them. */

export const spoken = (name: string): string => name.replaceAll("_", " ");

/** "yes" and "no" are truths, digits are a number, the rest is a word. */
export function asValue(text: string): string | number | boolean {
  const plain = text.trim();
  if (/^(yes|true|نعم)$/iu.test(plain)) return true;
  if (/^(no|false|لا)$/iu.test(plain)) return false;
  return plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : plain;
}
