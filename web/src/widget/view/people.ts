/** Where people come in: the queue, who answers, a message for later, and how it was. */
import { html, nothing, type TemplateResult } from "lit";
import type { Hand, Message } from "../../api/types.ts";
import type { Scene } from "../scene.ts";
import type { TalkState } from "../talk.ts";
import type { Words } from "../words/en.ts";
import { face, glyph } from "./glyph.ts";

type Part = TemplateResult | typeof nothing;
const SCORES = [1, 2, 3, 4, 5];
/** The desk's command: what follows is for people, whatever it says. */
export const LEAVE = "/leave_message";

/** What the hand-off's state says, in sentences; also what is read out when it changes. */
export function handWords(words: Words, { state, position, wait_s, agent }: Hand): string[] {
  if (state === "human") return [words.joined(agent || words.person)];
  if (state === "closed") return [words.closed];
  if (state === "returned") return [words.returned];
  if (state !== "queued") return [];
  return [
    words.queued,
    position ? words.position(position) : "",
    wait_s == null ? "" : words.expected(Math.round(wait_s / 60)),
    words.queuedKeep,
  ].filter(Boolean);
}

/** Above the messages while somebody waits for a person. */
export function queue({ talk, words }: Scene): Part {
  if (talk.hand.state !== "queued") return nothing;
  const [title, ...rest] = handWords(words, talk.hand);
  return html`<section class="strip queue" data-testid="queue-state"><span class="pulse" aria-hidden="true"></span>
    <p><strong>${title}</strong> ${rest.join(" ")}</p></section>`;
}

const valueIn = (form: FormData, name: string): string => String(form.get(name) ?? "").trim();

function leaveForm({ words, leaving, on }: Scene): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    on.leave(valueIn(form, "text"), valueIn(form, "contact"));
  };
  const trouble = leaving === "missing" ? words.leaveMissing : "";
  return html`<form class="form" novalidate data-testid="leave-form" @submit=${submit}>
    <p>${words.closed}</p>
    <label>${words.leaveText}<textarea name="text" rows="3" maxlength="700" dir="auto"></textarea></label>
    <label>${words.leaveContact}<input name="contact" maxlength="200" autocomplete="email" dir="auto"></label>
    ${trouble ? html`<p class="trouble-line" role="alert">${glyph("alert")}${trouble}</p>` : nothing}
    <button type="submit" class="primary">${words.leaveSend}</button></form>`;
}

function ratingForm({ words, on }: Scene): TemplateResult {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const score = Number(valueIn(form, "score"));
    if (score) on.rate(score, valueIn(form, "comment"));
  };
  return html`<form class="form rating" data-testid="rating-form" @submit=${submit}>
    <fieldset><legend>${words.rate}</legend><div class="faces">${SCORES.map(
      (score) => html`<label title=${words.rateScale(score)}><input type="radio" name="score" value=${score} required>
        <span class="face">${face(score)}</span><span class="unseen">${words.rateScale(score)}</span></label>`,
    )}</div></fieldset>
    <label class="comment">${words.rateComment}<textarea name="comment" rows="2" maxlength="500" dir="auto"></textarea></label>
    <div class="buttons"><button type="submit" class="primary">${words.rateSend}</button>
    <button type="button" class="plain" @click=${() => on.skipRating()}>${words.rateSkip}</button></div></form>`;
}

/** Whether the shopper is asked how a person's help was. The assistant is rated in words, which it takes as they come. */
const asksRating = ({ talk, rating }: Scene): boolean =>
  rating === "sent" || (rating !== "skipped" && talk.hand.rate === true);

const actOf = (message: Message | undefined): string => (message?.role !== "user" && message?.act) || "";

/** How it stands with a message for who is not here: "sent" only once the shop has said that it is kept. */
export function leaves({ hand, messages, outbox }: TalkState): "" | "form" | "sent" {
  if (hand.state !== "closed" || outbox.some((one) => one.text.startsWith(LEAVE))) return "";
  const told = actOf(messages.findLast((one) => actOf(one).startsWith("handoff.")));
  if (told === "handoff.message.taken") return "sent";
  return actOf(messages.at(-1)).startsWith("handoff.message") ? "" : "form";
}

/** Forms at the end of the log. */
export function forms(scene: Scene): Part {
  const { talk, words, rating } = scene;
  const leaving = leaves(talk);
  if (leaving === "sent") return html`<p class="thanks" data-testid="leave-sent">${words.leaveSent}</p>`;
  if (leaving === "form") return leaveForm(scene);
  if (!asksRating(scene)) return nothing;
  return rating === "sent" ? html`<p class="thanks" data-testid="rating-sent">${words.rated}</p>` : ratingForm(scene);
}
