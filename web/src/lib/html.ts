/** HTML as strings, escaped unless said otherwise: deep-chat takes its custom messages that way. */

/** Text that is already safe HTML. */
export class Safe {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

type Part = string | number | Safe | null | undefined | false | readonly Part[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escapeText = (text: string): string => text.replace(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return "";
  if (part instanceof Safe) return part.text;
  if (typeof part === "object") return part.map(render).join("");
  return escapeText(String(part));
}

/** Template tag: every value is escaped, except what this tag made itself. */
export function markup(strings: TemplateStringsArray, ...parts: Part[]): Safe {
  return new Safe(strings.reduce((text, string, index) => text + render(parts[index - 1]) + string));
}

/** Plain text with its line breaks. */
export function lines(text: string): Safe {
  const paragraphs = text.trim().split(/\n{2,}/);
  return new Safe(paragraphs.map((one) => `<p>${escapeText(one).replaceAll("\n", "<br>")}</p>`).join(""));
}
