/** Icons as path data; all are decorative and hidden from screen readers. */
export const CHAT_ICON =
  "M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.5 4v-4A2.5 2.5 0 0 1 4 13.5zM8.5 8.75h7M8.5 11.75h4.5";
export const CLOSE_ICON = "M6 6l12 12M18 6 6 18";

const SVG = "http://www.w3.org/2000/svg";

/** What every icon's svg element has. */
export const FRAME: Readonly<Record<string, string>> = {
  viewBox: "0 0 24 24",
  width: "24",
  height: "24",
  fill: "none",
  stroke: "currentColor",
  "stroke-width": "2",
  "stroke-linecap": "round",
  "stroke-linejoin": "round",
  "aria-hidden": "true",
};

/** An icon as an element, made without parsing HTML: a page may forbid that. */
export function icon(data: string): SVGSVGElement {
  const image = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries(FRAME)) image.setAttribute(name, value);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", data);
  image.append(path);
  return image;
}
