/** The made-up desk of the inbox: one conversation waits, one is the agent's, one a colleague's. Any key but "ak_wrong" works. */
import { crc32, deflateSync } from "node:zlib";
import { bot, shopper } from "./fixtures.mjs";

const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
const PICTURE = "/__mock/picture.png";

/** A picture as a camera might have made it: a sky over a field. */
function png(width, height) {
  const chunk = (kind, data) => {
    const body = Buffer.concat([Buffer.from(kind), data]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(data.length);
    ends.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  const row = (y) => [
    0,
    ...Array.from({ length: width }, () => (y < height / 2 ? [140, 180, 210] : [120, 150, 70])).flat(),
  ];
  const pixels = Buffer.from(Array.from({ length: height }, (_, y) => row(y)).flat());
  const parts = [chunk("IHDR", header), chunk("IDAT", deflateSync(pixels)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]);
}

function handoff(id, state, reason, more) {
  const blank = { conversation_id: `c-${id}`, urgency: 1, claimed_at: null, ended_at: null, agent: null, mine: false };
  return { handoff_id: id, state, reason, ...blank, score: null, summary: [], left: [], comment: null, ...more };
}

const HANDOFFS = () => [
  handoff("h1", "queued", "falling_affect", {
    urgency: 2,
    queued_at: ago(4),
    summary: [
      "Why: falling affect.",
      "Mood: frustrated; was neutral, is frustrated since the coupon.",
      "Wrote: “this coupon does not work at all”",
      "The bot answered: coupon.given, coupon.problem.expired.",
    ],
    left: ["Please call me back about the bread."],
  }),
  handoff("h2", "human", "asked", { queued_at: ago(11), agent: "Dana", mine: true, summary: ["Why: asked."] }),
  handoff("h3", "human", "sensitive", { urgency: 3, queued_at: ago(2), agent: "Ben" }),
];

/** Routes of the desk, for `tools` that the server has. */
export function deskRoutes({ json, problem }) {
  const all = new Map(HANDOFFS().map((one) => [one.handoff_id, one]));
  const file = { attachment_id: "f1", name: "bread.jpg", media_type: "image/jpeg", size: 48_000, url: PICTURE };
  const paper = { attachment_id: "f2", name: "receipt.pdf", media_type: "application/pdf", size: 9_000, url: PICTURE };
  const messages = [
    bot("Hello, I am the shop's AI assistant. How can I help?"),
    shopper("the bread I bought yesterday is mouldy"),
    { ...shopper(""), attachments: [file] },
    bot("Thank you, I have your file. A person should look at it; shall I get one?"),
    { ...shopper(""), attachments: [paper] },
    bot("Hello, this is Dana. I am looking at your picture now.", { role: "agent", agent: "Dana" }),
    shopper("thank you, I would like my money back, or a fresh one if you still have it"),
  ];
  const move = (id, change) => {
    all.set(id, { ...all.get(id), ...change });
    return all.get(id);
  };
  const steps = {
    claim: { state: "human", agent: "Dana", mine: true },
    release: { state: "queued", agent: null, mine: false },
    "hand-back": { state: "returned" },
  };
  const cards = (state) => [...all.values()].filter((one) => one.state === state);
  return [
    [
      "GET",
      /^\/__mock\/picture\.png$/,
      (_q, r) => r.writeHead(200, { "content-type": "image/png" }).end(png(240, 160)),
    ],
    [
      "GET",
      /^\/v1\/agents\/inbox$/,
      (q, r) =>
        q.headers.authorization === "Bearer ak_wrong"
          ? problem(r, 401, "Unknown key")
          : json(r, 200, { waiting: cards("queued"), served: cards("human"), agents: ["Ben", "Dana"] }),
    ],
    [
      "GET",
      /^\/v1\/agents\/stream$/,
      (_q, r) => r.writeHead(200, { "content-type": "text/event-stream" }).write("event: changed\ndata: {}\n\n"),
    ],
    [
      "GET",
      /^\/v1\/agents\/handoffs\/(\w+)$/,
      (_q, r, m) =>
        json(r, 200, {
          handoff: all.get(m[1]),
          display_name: "Maya Lindqvist",
          affect: { state: "frustrated" },
          read_by_user: messages[5].message_id,
          messages,
        }),
    ],
    [
      "POST",
      /^\/v1\/agents\/handoffs\/(\w+)\/(claim|release|hand-back)$/,
      (_q, r, m) => json(r, 200, move(m[1], steps[m[2]])),
    ],
    ["POST", /^\/v1\/agents\/handoffs\/(\w+)\/(messages|read|typing)$/, (_q, r) => json(r, 200, { done: true })],
  ];
}
