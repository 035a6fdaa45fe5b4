/** The inbox's pieces. */
import { html, nothing, type TemplateResult } from "lit";
import { ref } from "lit/directives/ref.js";
import type { Attachment } from "../api/types.ts";
import type { Card, Detail, Inbox, Line, Step } from "./api.ts";
import { WORDS } from "./words.ts";

export interface Doing {
  readonly signIn: (event: SubmitEvent) => void;
  readonly signOut: () => void;
  readonly open: (card: Card) => void;
  readonly move: (step: Step) => void;
  readonly send: (event: SubmitEvent) => void;
  readonly typing: () => void;
  readonly show: (file: Attachment, canvas: HTMLCanvasElement) => void;
  readonly save: (file: Attachment) => void;
}

/** Key and name. */
export function door(doing: Doing, trouble: string): TemplateResult {
  return html`<main class="door"><h1>${WORDS.signIn}</h1>
    <form @submit=${doing.signIn} data-testid="inbox-door">
      <label>${WORDS.key}<input name="key" type="password" required autocomplete="off" aria-describedby="how"></label>
      <p id="how" class="muted">${WORDS.keyHow}</p>
      <label>${WORDS.name}<input name="name" required maxlength="64" autocomplete="name"></label>
      ${trouble ? html`<p class="alert" role="alert">${trouble}</p>` : nothing}
      <button class="main">${WORDS.start}</button>
    </form></main>`;
}

const minutes = (since: string, now: number): number => Math.max(0, Math.floor((now - Date.parse(since)) / 60_000));
const reason = (card: Card): string => WORDS.reasons[card.reason] ?? card.reason;

function row(card: Card, current: string, doing: Doing, now: number): TemplateResult {
  return html`<li><button type="button" class="row" aria-current=${card.handoff_id === current ? "true" : "false"}
    data-urgency=${card.urgency} data-testid="inbox-row" @click=${() => doing.open(card)}>
    <strong>${reason(card)}</strong><span class="muted">${WORDS.since(minutes(card.queued_at, now))}</span>
    ${card.left.length > 0 ? html`<span class="tag">${WORDS.left}</span>` : nothing}
    ${card.agent && !card.mine ? html`<span class="muted">${card.agent}</span>` : nothing}</button></li>`;
}

/** Who waits, and who is served. */
export function queue(inbox: Inbox, current: string, doing: Doing, now = Date.now()): TemplateResult {
  const part = (title: string, cards: readonly Card[]): TemplateResult | typeof nothing =>
    cards.length === 0
      ? nothing
      : html`<h2>${title}</h2><ul>${cards.map((card) => row(card, current, doing, now))}</ul>`;
  const mine = inbox.served.filter((card) => card.mine);
  const others = inbox.served.filter((card) => !card.mine);
  return html`<nav aria-label=${WORDS.title}>
    ${inbox.waiting.length === 0 ? html`<p class="muted" data-testid="inbox-empty">${WORDS.nobody}</p>` : nothing}
    ${part(WORDS.waiting, inbox.waiting)}${part(WORDS.yours, mine)}${part(WORDS.others, others)}</nav>`;
}

function file(one: Attachment, doing: Doing): TemplateResult {
  const name = html`<button type="button" class="file" data-testid="inbox-file" @click=${() => doing.save(one)}>${WORDS.save(one.name)}</button>`;
  if (!one.media_type.startsWith("image/")) return name;
  return html`<canvas role="img" aria-label=${WORDS.picture(one.name)} width="240" height="160" data-testid="inbox-picture"
    ${ref((canvas) => canvas && doing.show(one, canvas as HTMLCanvasElement))}></canvas>${name}`;
}

function bubble(line: Line, read: boolean, doing: Doing): TemplateResult {
  const who = line.role === "user" ? WORDS.shopper : line.role === "bot" ? WORDS.assistant : (line.agent ?? "");
  return html`<li class=${line.role} data-testid="inbox-line"><span class="who">${who}</span>
    ${line.text ? html`<p><bdi>${line.text}</bdi></p>` : nothing}${line.attachments?.map((one) => file(one, doing))}${read ? html`<span class="muted">${WORDS.read}</span>` : nothing}</li>`;
}

/** One conversation: why, what was said, and the answer. */
export function talk(detail: Detail, typing: boolean, doing: Doing): TemplateResult {
  const { handoff: card, messages } = detail;
  const read = messages.findIndex((line) => line.message_id === detail.read_by_user);
  const step = (name: Step, text: string, kind = ""): TemplateResult =>
    html`<button type="button" class=${kind} data-testid=${`inbox-${name}`} @click=${() => doing.move(name)}>${text}</button>`;
  return html`<article aria-labelledby="of">
    <header><h2 id="of" tabindex="-1">${detail.display_name ?? WORDS.shopper}${detail.affect ? html` <span class="tag">${detail.affect.state}</span>` : nothing}</h2>
      <div class="steps">${card.state === "queued" ? step("claim", WORDS.claim, "main") : nothing}
      ${card.state === "human" && card.mine ? [step("release", WORDS.release), step("hand-back", WORDS.handBack, "main")] : nothing}</div></header>
    <section aria-label=${WORDS.summary} class="summary"><ul>${card.summary.map((one) => html`<li><bdi>${one}</bdi></li>`)}
      ${card.left.map((one) => html`<li><strong>${WORDS.left}:</strong> <bdi>${one}</bdi></li>`)}</ul></section>
    <div class="lines" role="log" aria-label=${WORDS.transcript} tabindex="0"><ol role="list">
      ${messages.map((line, at) => bubble(line, line.role === "agent" && at <= read, doing))}</ol></div>
    <p class="muted typing" aria-live="polite">${typing ? `${WORDS.shopper} ${WORDS.typing}` : ""}</p>
    ${
      card.state === "human" && card.mine
        ? html`<form class="answer" @submit=${doing.send}><label class="unseen" for="reply">${WORDS.reply}</label>
      <textarea id="reply" name="reply" rows="2" maxlength="4000" required placeholder=${WORDS.reply} data-testid="inbox-reply"
        @input=${doing.typing}></textarea><button class="main" data-testid="inbox-send">${WORDS.send}</button></form>`
        : nothing
    }</article>`;
}
