/**
 * Serves dist with a made-up api, for building and looking at the surfaces without the real one. Development only.
 * Chat scenarios: mock-chat.mjs. GET /__mock/host?lang=de&… is a shop's page with the script tag and a strict policy;
 * with &api=other the widget comes from another origin. POST /__mock/expire: the next call is answered 401.
 * Kiosk scenarios: POST /__mock/display?state=welcome (names in fixtures.mjs), POST /__mock/down?on=yes.
 */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname } from "node:path";
import { DISPLAYS, ITEMS } from "./fixtures.mjs";
import { hostPage, policy } from "./host-page.mjs";
import { chatRoutes } from "./mock-chat.mjs";

const dist = new URL("../dist/", import.meta.url);
const pictures = new URL("../../personalization/creative/pictures/", import.meta.url);
const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".woff2": "font/woff2",
  ".svg": "image/svg+xml",
  ".txt": "text/plain",
};
// As strict as the real pages: no inline script or style, nothing from elsewhere.
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; media-src 'self' blob:; base-uri 'none'";
const MEMBERS = [
  { member_id: "mem-1", display_name: "Maya Lindqvist", about: "often buys for pets" },
  { member_id: "mem-2", display_name: "Tomás Okafor" },
];

const screens = new Set();
const log = [];
let display = "attract";
let revision = 0;
let down = false;
let expireNext = false;
let serial = 0;

const json = (response, status, body) => {
  const type = status >= 400 ? "application/problem+json" : "application/json";
  response
    .writeHead(status, { "content-type": type, "access-control-allow-origin": "*" })
    .end(body === undefined ? "" : JSON.stringify(body));
};
const problem = (response, status, title, detail, type = "about:blank") =>
  json(response, status, { type, title, status, detail });
const bodyOf = async (request) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
};
const token = (member) => ({
  token: `mock.${member ?? ""}.${++serial}`,
  visitor_id: "v-1",
  member_id: member || null,
  expires_at: new Date(Date.now() + 15 * 60_000).toISOString(),
});
const displayState = () => ({
  kiosk_id: "entrance",
  revision: ++revision,
  retailer: "Fresh & Co",
  items: [],
  epoch: 0,
  ...DISPLAYS[display],
  ticket: DISPLAYS[display].privacy.recognised ? "bW9jaw==" : null,
});
const push = () => {
  for (const screen of screens) screen.write(`event: display\ndata: ${JSON.stringify(displayState())}\n\n`);
};

function posterSvg(name) {
  const [index, square] = name.split("-");
  const item = ITEMS[Number(index)] ?? ITEMS[0];
  const height = square ? 1080 : 1920;
  const centre = square ? 420 : 830;
  const hue = [60, 20, 100, 45, 30, 35, 80, 75, 50, 10, 70, 25][Number(index)] ?? 155;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="1080" height="${height}" viewBox="0 0 1080 ${height}" font-family="Inter, sans-serif">
    <rect width="1080" height="${height}" fill="hsl(${hue} 45% 95%)"/><circle cx="540" cy="${centre}" r="${square ? 250 : 370}" fill="hsl(${hue} 60% 84%)"/>
    <text x="80" y="${square ? 110 : 190}" font-size="44" font-weight="700" fill="hsl(${hue} 60% 20%)">Fresh &amp; Co</text>
    <text x="80" y="${square ? 800 : 1420}" font-size="84" font-weight="700" fill="hsl(${hue} 60% 20%)">${item.name.split(",")[0]}</text>
    <text x="80" y="${square ? 920 : 1560}" font-size="84" font-weight="700" fill="hsl(${hue} 70% 32%)">${item.price.text}</text></svg>`;
}

const qrSvg = () => {
  let cells = "";
  for (let y = 0; y < 25; y++)
    for (let x = 0; x < 25; x++)
      if ((x * 7 + y * 13 + x * y) % 3 === 0) cells += `<rect x="${x}" y="${y}" width="1" height="1"/>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 29 29"><rect x="-2" y="-2" width="29" height="29" fill="#fff"/>${cells}</svg>`;
};

async function file(response, base, name, type) {
  try {
    const body = await readFile(new URL(name, base));
    const page = extname(name) === ".html" ? { "content-security-policy": CSP } : {};
    response.writeHead(200, {
      "content-type": type ?? TYPES[extname(name)] ?? "application/octet-stream",
      "access-control-allow-origin": "*",
      ...page,
    });
    response.end(body);
  } catch {
    problem(response, 404, "Not found");
  }
}

const svg = (response, text) => response.writeHead(200, { "content-type": "image/svg+xml" }).end(text);

function stream(request, response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(`event: display\ndata: ${JSON.stringify(displayState())}\n\n`);
  screens.add(response);
  request.on("close", () => screens.delete(response));
}

async function enrol(request, response) {
  const body = (await bodyOf(request)).toString("latin1");
  const code = /name="code"\r\n\r\n(\d+)/.exec(body)?.[1];
  if (code === "000000")
    return problem(
      response,
      404,
      "Unknown code",
      "This code is not valid any more. Make a new one in the chat.",
      "/problems/link-code",
    );
  if (code === "111111")
    return problem(
      response,
      422,
      "No clear face",
      "Three pictures need one clear face. Step into the light and look at the screen.",
      "/problems/enrolment",
    );
  return json(response, 201, {
    display_name: "Maya Lindqvist",
    first_name: "Maya",
    frames: body.split("filename=").length - 1,
  });
}

const basket = new Map();
function basketNow() {
  const money = (minor) => ({ minor_units: minor, currency: "USD", text: `$${(minor / 100).toFixed(2)}` });
  const lines = [...basket].map(([id, quantity]) => {
    const { product_id, name, price, picture_url } = ITEMS.find((one) => one.product_id === id) ?? ITEMS[0];
    return {
      product_id,
      name,
      price,
      picture_url,
      quantity,
      amount: money(price.minor_units * quantity),
      in_stock: true,
    };
  });
  const total = lines.reduce((sum, line) => sum + line.amount.minor_units, 0);
  return { lines, pieces: lines.reduce((sum, line) => sum + line.quantity, 0), total: money(total) };
}
function setInBasket(id, quantity) {
  if (quantity > 0) basket.set(id, quantity);
  else basket.delete(id);
  return basketNow();
}

const chat = chatRoutes({ json, problem, bodyOf });
const ROUTES = [
  [
    "POST",
    /^\/__mock\/display$/,
    (_q, r, _m, url) => {
      display = url.searchParams.get("state") ?? "attract";
      push();
      json(r, 200, { display });
    },
  ],
  [
    "POST",
    /^\/__mock\/down$/,
    (_q, r, _m, url) => {
      down = url.searchParams.get("on") === "yes";
      if (down) for (const line of [...screens, ...chat.lines()]) line.destroy();
      json(r, 200, { down });
    },
  ],
  ["GET", /^\/__mock\/events$/, (_q, r) => json(r, 200, log)],
  ["GET", /^\/demo\/members$/, (_q, r) => json(r, 200, { members: MEMBERS, retailer: "Fresh & Co" })],
  ["GET", /^\/demo\/session$/, (_q, r, _m, url) => json(r, 200, token(url.searchParams.get("member")))],
  ["POST", /^\/v1\/widget-tokens\/renew$/, (_q, r) => json(r, 200, token())],
  ...chat.routes,
  [
    "GET",
    /^\/__mock\/host$/,
    (q, r, _m, url) => {
      const { api, ...settings } = Object.fromEntries(url.searchParams);
      const [name, port] = (q.headers.host ?? "127.0.0.1:4173").split(":");
      const other = name === "localhost" ? "127.0.0.1" : "localhost";
      const origin = `http://${api === "other" ? other : name}:${port}`;
      r.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy(origin) });
      r.end(hostPage(origin, settings));
    },
  ],
  [
    "POST",
    /^\/v1\/events$/,
    async (q, r) => {
      const { events } = JSON.parse((await bodyOf(q)).toString());
      log.push(...events);
      json(r, 202, { accepted: events.length, duplicates: 0, rejected: [] });
    },
  ],
  ["GET", /^\/v1\/basket$/, (_q, r) => json(r, 200, basketNow())],
  [
    "POST",
    /^\/v1\/basket\/lines$/,
    async (q, r) => {
      const { product_id, quantity = 1 } = JSON.parse((await bodyOf(q)).toString());
      json(r, 200, setInBasket(product_id, (basket.get(product_id) ?? 0) + quantity));
    },
  ],
  [
    "PUT",
    /^\/v1\/basket\/lines\/([\w-]+)$/,
    async (q, r, m) => json(r, 200, setInBasket(m[1], JSON.parse((await bodyOf(q)).toString()).quantity)),
  ],
  [
    "POST",
    /^\/v1\/recommendations$/,
    async (q, r) => {
      const body = JSON.parse((await bodyOf(q)).toString());
      json(r, 200, {
        decision_id: `d${++serial}`,
        items: body.member_id
          ? [...ITEMS].reverse()
          : ITEMS.map((item) => ({ ...item, reason: "Popular in this store this week.", reason_code: "popular" })),
      });
    },
  ],
  [
    "POST",
    /^\/v1\/me\/link-codes$/,
    (_q, r) => json(r, 201, { code: "482913", expires_at: new Date(Date.now() + 600_000).toISOString() }),
  ],
  ["GET", /^\/v1\/products\/([\w-]+)\/picture\.svg$/, (_q, r, m) => file(r, pictures, `${m[1]}.svg`)],
  ["GET", /^\/v1\/coupons\/\w+\/qr\.svg$/, (_q, r) => svg(r, qrSvg())],
  ["GET", /^\/v1\/creatives\/([\w-]+)$/, (_q, r, m) => svg(r, posterSvg(m[1]))],
  [
    "GET",
    /^\/v1\/kiosks\/[\w-]+\/display$/,
    (q, r) => (q.headers.authorization === "Bearer dk_wrong" ? problem(r, 401, "Unknown key") : stream(q, r)),
  ],
  [
    "POST",
    /^\/v1\/kiosks\/[\w-]+\/frames$/,
    async (q, r) => {
      const { length } = await bodyOf(q);
      json(r, 200, { observation: { present: length > 0, recognised: false, latency_ms: 20 } });
    },
  ],
  ["POST", /^\/v1\/kiosks\/[\w-]+\/enrolments$/, enrol],
  [
    "POST",
    /^\/v1\/kiosks\/[\w-]+\/enrolments\/looks$/,
    (_request, response) => json(response, 200, { good: true, advice: "" }),
  ],
  ["POST", /^\/v1\/kiosks\/[\w-]+\/not-me$/, (_request, response) => response.writeHead(204).end()],
  ["POST", /^\/v1\/kiosks\/[\w-]+\/forget-me$/, (_request, response) => json(response, 200, { forgotten: 1 })],
  ["GET", /^\/favicon.ico$/, (_q, r) => r.writeHead(204).end()],
  ["GET", /^\/$/, (_q, r) => file(r, dist, "shop.html")],
  [
    "POST",
    /^\/v1\/kiosks\/[\w-]+\/plays$/,
    async (q, r) => {
      const { plays } = JSON.parse((await bodyOf(q)).toString());
      json(r, 200, { accepted: plays.length, duplicates: 0, rejected: [] });
    },
  ],
  ["GET", /^\/kiosk\/worker\.js$/, (_q, r) => file(r, dist, "kiosk-worker.js")],
  ["GET", /^\/kiosk\/[\w-]+$/, (_q, r) => file(r, dist, "kiosk.html")],
  ["GET", /^\/console\/display$/, (_q, r) => file(r, dist, "display.html")],
  ["GET", /^\/(widget\.js|assets\/[\w./-]+)$/, (_q, r, m) => file(r, dist, m[1])],
];

const PREFLIGHT = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, POST, PUT, PATCH, DELETE",
  "access-control-allow-headers": "authorization, content-type",
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url, "http://mock");
  if (request.method === "OPTIONS") return response.writeHead(204, PREFLIGHT).end();
  if (down && !url.pathname.startsWith("/__mock") && url.pathname.startsWith("/v1")) return request.socket.destroy();
  if (expireNext && url.pathname.startsWith("/v1/conversations/")) {
    expireNext = false;
    return problem(response, 401, "The token has expired");
  }
  if (url.pathname === "/__mock/expire") {
    expireNext = true;
    return json(response, 200, {});
  }
  const route = ROUTES.find(([method, path]) => method === request.method && path.test(url.pathname));
  if (!route) return problem(response, 404, "Not found");
  await route[2](request, response, route[1].exec(url.pathname), url);
});

const port = Number(process.env.PORT ?? 4173);
server.listen(port, () =>
  console.log(`shop http://127.0.0.1:${port}/  kiosk http://127.0.0.1:${port}/kiosk/entrance?key=dk_dev`),
);
