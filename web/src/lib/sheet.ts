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

/** Put a component's own inline style elements into constructed sheets, where a policy would have blocked them. */
export function adoptInlineStyles(root: ShadowRoot): void {
  for (const element of root.querySelectorAll("style")) {
    if (element.sheet) continue;
    const one = sheet(element.textContent ?? "");
    if (!root.adoptedStyleSheets.includes(one)) root.adoptedStyleSheets.unshift(one);
  }
}
