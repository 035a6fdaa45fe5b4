/** Style sheets without style elements, so that a strict content security policy stays strict. */

const made = new Map<string, CSSStyleSheet>();

/** A constructed sheet, shared by all roots that use the same text. */
export function sheet(css: string): CSSStyleSheet {
  let one = made.get(css);
  if (!one) {
    one = new CSSStyleSheet();
    one.replaceSync(css);
    made.set(css, one);
  }
  return one;
}
