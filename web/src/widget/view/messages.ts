/** The log: messages, what is on its way, who is writing, suggested answers. */
import { html, nothing, type TemplateResult } from "lit";
import { ref } from "lit/directives/ref.js";
import { repeat } from "lit/directives/repeat.js";
import type { Attachment, BotMessage, Message } from "../../api/types.ts";
import { typingIn } from "../history.ts";
import type { Pending } from "../outbox.ts";
import type { Scene } from "../scene.ts";
import { couponWords, extras } from "./cards.ts";
import { glyph } from "./glyph.ts";

type Part = TemplateResult | typeof nothing;

/** Plain text with its paragraphs; each finds its own direction. */
function paragraphs(text: string): TemplateResult[] {
  return text
    .trim()
    .split(/\n{2,}/)
    .map((one) => html`<p dir="auto">${one}</p>`);
}

const isPicture = (file: Attachment): boolean => file.media_type.startsWith("image/");

/** A picture is drawn, not linked: neither a data address nor a blob has to be allowed by the page's policy. */
function attachment({ words, on }: Scene, file: Attachment): TemplateResult {
  if (!isPicture(file)) {
    return html`<button type="button" class="file" @click=${() => on.openFile(file)}>${glyph("file")}<bdi>${file.name}</bdi></button>`;
  }
  return html`<canvas class="photo" role="img" aria-label=${words.picture(file.name)} width="240" height="160" data-testid="attachment"
    ${ref((canvas) => canvas && on.load(file, canvas as HTMLCanvasElement))}></canvas>`;
}

function fromShop(scene: Scene, message: BotMessage, first: boolean): TemplateResult {
  const { words } = scene;
  const name = message.role === "agent" ? message.agent || words.person : words.assistant;
  const author =
    message.role === "agent" && first
      ? html`<p class="author">${glyph("person")}<bdi>${name}</bdi></p>`
      : html`<span class="unseen">${name}: </span>`;
  const said = message.text ? html`<div class="say">${paragraphs(message.text)}</div>` : nothing;
  return html`<li class="turn ${message.partial ? "partial" : ""}" data-testid="bot-message" data-role=${message.role}
    data-act=${message.act ?? ""}>${author}${said}${message.attachments?.map((file) => attachment(scene, file)) ?? nothing}${extras(scene, message)}</li>`;
}

const mark = (state: string, icon: TemplateResult, text: string): TemplateResult =>
  html`<p class="mark-line" data-testid="message-mark" data-state=${state}>${icon}${text}</p>`;

function delivered({ words, talk }: Scene, message: Message, latest: boolean): Part {
  if (!latest) return nothing;
  const read = talk.readId !== undefined && message.message_id <= talk.readId;
  return read ? mark("read", glyph("read"), words.read) : mark("delivered", glyph("check"), words.delivered);
}

function own(scene: Scene, message: Message, latest: boolean): TemplateResult {
  return html`<li class="mine" data-testid="own-message"><span class="unseen">${scene.words.you}: </span>
    ${message.attachments?.map((file) => attachment(scene, file)) ?? nothing}
    ${message.text ? html`<div class="say">${paragraphs(message.text)}</div>` : nothing}${delivered(scene, message, latest)}</li>`;
}

function refused({ words, on }: Scene, one: Pending): TemplateResult {
  return html`<div class="refused" data-testid="message-refused"><p>${words.notSent} <bdi>${one.why ?? ""}</bdi></p>
    <button type="button" @click=${() => on.retry(one.id)}>${words.retry}</button>
    <button type="button" @click=${() => on.discard(one.id)}>${words.discard}</button></div>`;
}

function pending(scene: Scene, one: Pending): TemplateResult {
  const { words, talk } = scene;
  const waits = one.state === "waiting" && talk.link !== "ok";
  const state =
    one.state === "refused"
      ? refused(scene, one)
      : mark(waits ? "waiting" : "sending", glyph("clock"), waits ? words.waiting : words.sending);
  const said = one.file
    ? html`<span class="file">${glyph("file")}<bdi>${one.file.name}</bdi></span>`
    : paragraphs(one.title ?? one.text);
  return html`<li class="mine pending" data-testid="own-message"><span class="unseen">${words.you}: </span><div class="say">${said}</div>${state}</li>`;
}

/** Dots, and the same in words for who does not see them. */
function typing({ words, talk }: Scene): Part {
  const who = typingIn(talk);
  if (!who) return nothing;
  const text = who === "agent" ? words.typingPerson(talk.hand.agent ?? words.person) : words.typing;
  return html`<li class="typing" data-testid="typing"><span class="unseen">${text}</span><i></i><i></i><i></i></li>`;
}

function chips({ words, talk, on }: Scene): Part {
  const last = talk.messages.at(-1);
  const replies = last && last.role !== "user" && !last.partial ? (last.quick_replies ?? []) : [];
  if (replies.length === 0 || talk.outbox.length > 0) return nothing;
  return html`<li><ul class="chips" aria-label=${words.quickReplies}>${replies.map(
    (one) => html`<li><button type="button" class="chip" data-testid="quick-reply" data-text=${one.text || one.title}
      dir="auto" @click=${() => on.reply(one)}>${one.title}</button></li>`,
  )}</ul></li>`;
}

/** The messages, in order. */
export function log(scene: Scene): TemplateResult {
  const { messages, outbox } = scene.talk;
  const known = new Set(messages.map((one) => ("client_message_id" in one ? one.client_message_id : undefined)));
  const waiting = outbox.filter((one) => !known.has(one.id));
  const latest = waiting.length > 0 ? undefined : messages.findLast((one) => one.role === "user");
  const lines: (Message | Pending)[] = [...messages, ...waiting];
  const keyOf = (one: Message | Pending): string =>
    "id" in one ? one.id : ("client_message_id" in one && one.client_message_id) || one.message_id;
  const line = (one: Message | Pending, place: number): TemplateResult => {
    if ("id" in one) return pending(scene, one);
    const before = messages[place - 1];
    return one.role === "user" ? own(scene, one, one === latest) : fromShop(scene, one, before?.role !== one.role);
  };
  return html`<ol class="turns" role="list">${repeat(lines, keyOf, line)}${typing(scene)}${chips(scene)}</ol>`;
}

/** What a screen reader hears of a message. */
export function spoken({ words }: Pick<Scene, "words">, message: BotMessage): string {
  const count = message.items?.length ?? 0;
  return [
    message.role === "agent" ? `${message.agent || words.person}:` : "",
    message.text,
    count > 0 ? words.items(count) : "",
    message.coupon ? `${words.couponTitle}: ${couponWords(words, message.coupon)}.` : "",
    ...(message.attachments ?? []).map((file) =>
      isPicture(file) ? words.picture(file.name) : words.attachment(file.name),
    ),
  ]
    .filter(Boolean)
    .join(" ");
}
