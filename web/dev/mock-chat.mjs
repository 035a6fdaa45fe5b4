/**
 * The made-up conversation: answers by word, a live line, a person who joins, files, forgetting.
 * Words: recommend, why, coupon, compare, basket, order, long, fallback, stream, slow, drop (no answer), busy (429),
 * person (queued, then joined), closed, return (handed back), refuse (422).
 */
import { answer, bot, GREETING, shopper } from "./fixtures.mjs";

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Routes of conversations, for `tools` that the server has. */
export function chatRoutes({ json, problem, bodyOf }) {
  const talks = new Map();
  const sent = [];
  let serial = 0;

  const talk = (id) => talks.get(id);
  const hand = (one) => ({
    state: one.state,
    position: one.position ?? null,
    expected_wait_s: one.wait_s ?? null,
    agent: one.agent ?? null,
    open: one.open ?? true,
    rate: one.rate ?? false,
  });
  const tell = (one, name, data) => {
    for (const line of one.lines) line.write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  };
  const say = (one, message) => {
    one.messages.push(message);
    tell(one, "message", message);
  };
  const turn = (one, state, more = {}) => {
    Object.assign(one, { state, position: null, wait_s: null, agent: null }, more);
    tell(one, "state", hand(one));
  };

  async function join(one) {
    turn(one, "queued", { position: 2, wait_s: 180 });
    await wait(1500);
    turn(one, "queued", { position: 1, wait_s: 60 });
    await wait(1500);
    turn(one, "human", { agent: "Dana" });
    tell(one, "read", { role: "agent", message_id: one.messages.findLast((said) => said.role === "user")?.message_id });
    tell(one, "typing", { role: "agent", on: true });
    await wait(1200);
    say(
      one,
      bot("Hello, this is Dana. I have read your chat so far. I am looking at it now.", {
        role: "agent",
        agent: "Dana",
      }),
    );
  }

  async function stream(one, reply) {
    const whole = "Oats keep best in a closed jar, away from light. They are good for about a year.";
    const words = whole.split(" ");
    for (let count = 1; count <= words.length; count++) {
      await wait(60);
      tell(one, "part", { role: "bot", text: words.slice(0, count).join(" ") });
    }
    reply.messages = [bot(whole)];
    tell(one, "message", reply.messages[0]);
  }

  function react(one, text) {
    if (/person|human/i.test(text) && one.state === "bot") void join(one);
    if (/closed/i.test(text)) turn(one, "queued", { position: 1, open: false });
    if (/return/i.test(text)) turn(one, "returned", { rate: true });
  }

  /** Whether a message ends in trouble, as its words ask for. */
  function refused(request, response, one, text) {
    if (!one) problem(response, 404, "No such conversation");
    else if (/drop/i.test(text)) request.socket.destroy();
    else if (/busy/i.test(text)) problem(response, 429, "Too many messages");
    else if (/refuse/i.test(text)) problem(response, 422, "Not understood", "This message cannot be taken.");
    else return false;
    return true;
  }

  async function send(request, response, id) {
    const one = talk(id);
    const { text, title, client_message_id } = JSON.parse((await bodyOf(request)).toString());
    if (refused(request, response, one, text)) return;
    const before = one.answered.get(client_message_id);
    if (before) return json(response, 200, before);
    sent.push({ id, text, client_message_id });
    const own = { ...shopper(title ?? text), client_message_id };
    one.messages.push(own);
    tell(one, "message", own);
    await wait(/slow/i.test(text) ? 4000 : 350);
    const reply = one.state === "human" ? { messages: [], handoff: true, engine: "rasa" } : answer(text);
    if (/stream/i.test(text)) await stream(one, reply);
    one.messages.push(...reply.messages);
    const body = {
      affect: { valence: 0, arousal: 0.2, label: "neutral" },
      message_id: own.message_id,
      state: one.state,
      ...reply,
    };
    one.answered.set(client_message_id, body);
    json(response, 200, body);
    react(one, text);
  }

  async function attach(request, response, id) {
    const one = talk(id);
    const body = await bodyOf(request);
    const name = /filename="([^"]+)"/.exec(body.toString("latin1"))?.[1] ?? "file";
    const type = /filename="[^"]+"\r\nContent-Type: ([\w/+.-]+)/i.exec(body.toString("latin1"))?.[1] ?? "image/jpeg";
    const start = body.indexOf("\r\n\r\n", body.indexOf("filename=")) + 4;
    const file = { attachment_id: `f${++serial}`, name, media_type: type, size: body.length };
    file.url = `/v1/conversations/${id}/attachments/${file.attachment_id}`;
    one.files.set(file.attachment_id, { type, bytes: body.subarray(start, body.lastIndexOf("\r\n--")) });
    const own = { ...shopper(""), attachments: [file] };
    const replied = bot("Thank you, it is here. I cannot look at files myself, but a person who joins can.");
    one.messages.push(own, replied);
    json(response, 201, {
      message_id: own.message_id,
      attachments: [file],
      messages: [replied],
      handoff: false,
      state: one.state,
      engine: "rasa",
    });
  }

  const open = () => {
    const id = `c${++serial}`;
    talks.set(id, { state: "bot", messages: [GREETING()], lines: new Set(), answered: new Map(), files: new Map() });
    return id;
  };

  return {
    lines: () => [...talks.values()].flatMap((one) => [...one.lines]),
    routes: [
      [
        "POST",
        /^\/v1\/conversations$/,
        (_q, r) => {
          const id = open();
          json(r, 201, { conversation_id: id, messages: talk(id).messages });
        },
      ],
      [
        "GET",
        /^\/v1\/me\/conversation$/,
        (_q, r) => json(r, 200, { conversation_id: [...talks.keys()].at(-1) ?? null }),
      ],
      [
        "GET",
        /^\/v1\/conversations\/(\w+)$/,
        (_q, r, m) =>
          talk(m[1])
            ? json(r, 200, { conversation_id: m[1], messages: talk(m[1]).messages, state: talk(m[1]).state })
            : problem(r, 404, "No such conversation"),
      ],
      [
        "DELETE",
        /^\/v1\/conversations\/(\w+)$/,
        (_q, r, m) => {
          const found = talk(m[1]);
          if (!found) return problem(r, 404, "No such conversation");
          for (const line of found.lines) line.end();
          talks.delete(m[1]);
          r.writeHead(204).end();
        },
      ],
      [
        "GET",
        /^\/v1\/conversations\/(\w+)\/stream$/,
        (q, r, m) => {
          const found = talk(m[1]);
          if (!found) return problem(r, 404, "No such conversation");
          r.writeHead(200, {
            "content-type": "text/event-stream",
            "cache-control": "no-store",
            "access-control-allow-origin": "*",
          });
          r.write(`event: state\ndata: ${JSON.stringify(hand(found))}\n\n`);
          found.lines.add(r);
          q.on("close", () => found.lines.delete(r));
        },
      ],
      ["POST", /^\/v1\/conversations\/(\w+)\/messages$/, (q, r, m) => send(q, r, m[1])],
      ["POST", /^\/v1\/conversations\/(\w+)\/attachments$/, (q, r, m) => attach(q, r, m[1])],
      [
        "GET",
        /^\/v1\/conversations\/(\w+)\/attachments\/(\w+)$/,
        (_q, r, m) => {
          const file = talk(m[1])?.files.get(m[2]);
          if (!file) return problem(r, 404, "No such file");
          r.writeHead(200, { "content-type": file.type }).end(file.bytes);
        },
      ],
      [
        "POST",
        /^\/v1\/conversations\/(\w+)\/(rating|typing|read)$/,
        async (q, r, m) => {
          sent.push({ id: m[1], [m[2]]: JSON.parse((await bodyOf(q)).toString()) });
          r.writeHead(204).end();
        },
      ],
      ["GET", /^\/__mock\/sent$/, (_q, r) => json(r, 200, sent)],
      ["GET", /^\/__mock\/talks$/, (_q, r) => json(r, 200, [...talks.keys()])],
      [
        "POST",
        /^\/__mock\/say$/,
        (_q, r, _m, url) => {
          const one = talk([...talks.keys()].at(-1));
          say(one, bot(url.searchParams.get("text") ?? "Hello again."));
          json(r, 200, {});
        },
      ],
    ],
  };
}
