/** Addresses that the api names are relative to the api, not to the page that embeds us. */
export function absolute(url: string, api: string): string {
  try {
    const { href, protocol } = new URL(url, `${api}/`);
    return ["http:", "https:"].includes(protocol) || href.startsWith("data:image/") ? href : "";
  } catch {
    return "";
  }
}
