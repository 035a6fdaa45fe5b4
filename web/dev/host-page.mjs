/** A shop's own page around the one script tag, with a policy as strict as pages have: for looking and for browser tests. */
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** What the widget needs of a page's policy, and not a word more. */
export const policy = (api) =>
  [
    "default-src 'none'",
    `script-src ${api}`,
    `connect-src 'self' ${api}`,
    `img-src ${api}`,
    `font-src ${api}`,
    "style-src 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types lit-html",
  ].join("; ");

/** The page; `settings` become data attributes of the script tag. */
export function hostPage(api, settings) {
  const { page_lang = "en", page_dir = "ltr", ...rest } = settings;
  const data = Object.entries({ "token-url": "/demo/session", files: "yes", ...rest })
    .map(([name, value]) => ` data-${escaped(name)}="${escaped(value)}"`)
    .join("");
  return `<!doctype html><html lang="${escaped(page_lang)}" dir="${escaped(page_dir)}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>A shop</title></head>
<body><main><h1>A shop</h1><p>Its own page, with its own policy.</p><p><a href="#more">More</a></p></main>
<script src="${escaped(api)}/widget.js"${data}></script></body></html>`;
}
