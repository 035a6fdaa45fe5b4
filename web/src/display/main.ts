/** The display policy's page: sliders, what they would do, save with a note, history, and the way back. */
import "../../tokens.css";
import "../inbox/inbox.css";
import "./display.css";
import { html, nothing, render, type TemplateResult } from "lit";
import { ApiError } from "../api/http.ts";
import { addFont } from "../lib/font.ts";
import { Desk, type Policy, type Preview, type Values, type Version, valueAt, withValue } from "./api.ts";
import { type Doing, door, type Flaws, history, preview, saving, sliders } from "./views.ts";
import { WORDS } from "./words.ts";

const KEPT = "aisle:display";

/** The api's complaints, by the places that they are about. */
function flawsOf(error: unknown): Flaws {
  const found = error instanceof ApiError && error.status === 422 ? error.problem.errors : undefined;
  return Object.fromEntries((found ?? []).map(({ where, reason }) => [where.replace(/^values\./, ""), reason]));
}

/** The page. The key is kept for this tab only. */
class DisplayPage implements Doing {
  private desk: Desk | undefined;
  private policy: Policy | undefined;
  private values: Values = {};
  private versions: readonly Version[] = [];
  private shown: Preview | undefined;
  private flaws: Flaws = {};
  private chosen = "";
  private trouble = "";
  private conflict = "";
  private done = "";
  private busy = false;
  private playing: AbortController | undefined;

  constructor(private readonly root: HTMLElement) {
    const kept = sessionStorage.getItem(KEPT);
    if (kept) {
      const { key, name } = JSON.parse(kept) as { key: string; name: string };
      this.enter(new Desk(key, name));
    }
    this.draw();
  }

  readonly signIn = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const desk = new Desk(String(form.get("key")).trim(), String(form.get("name")).trim());
    sessionStorage.setItem(KEPT, JSON.stringify({ key: desk.key, name: desk.name }));
    this.enter(desk);
  };

  readonly signOut = (): void => this.leave("");

  readonly set = (place: string, value: number): void => {
    this.values = withValue(this.values, place, value);
    this.done = "";
    this.draw();
    void this.play();
  };

  readonly visit = (name: string): void => {
    this.chosen = name;
    void this.play();
  };

  readonly undo = (): void => {
    this.values = this.policy?.values ?? {};
    this.conflict = "";
    this.draw();
    void this.play();
  };

  readonly save = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const note = String(new FormData(form).get("note")).trim();
    if (note) void this.change((desk) => desk.save(this.values, note)).then((saved) => saved && form.reset());
  };

  readonly restore = (version: number): void => {
    void this.change((desk) => desk.restore(version));
  };

  readonly theirs = (): void => {
    void this.load().then(() => this.focus("h1"));
  };

  readonly mine = (): void => {
    const { values } = this;
    void this.load().then(() => {
      this.values = values;
      this.draw();
      void this.play();
      this.focus("#note");
    });
  };

  private enter(desk: Desk): void {
    this.desk = desk;
    this.trouble = "";
    this.draw();
    void this.load();
  }

  private leave(trouble: string): void {
    sessionStorage.removeItem(KEPT);
    this.playing?.abort();
    this.desk = this.policy = this.shown = undefined;
    this.trouble = trouble;
    this.draw();
  }

  private async load(): Promise<void> {
    await this.attempt(async (desk) => {
      this.policy = await desk.read();
      this.versions = await desk.versions();
      this.values = this.policy.values;
      this.chosen ||= this.policy.visits[0] ?? "";
      this.conflict = "";
    });
    await this.play();
  }

  /** Change what is stored; what was set stays where that is refused. */
  private async change(work: (desk: Desk) => Promise<Version>): Promise<boolean> {
    this.busy = true;
    this.draw();
    const saved = await this.attempt(work);
    this.busy = false;
    if (saved) {
      await this.load();
      this.done = WORDS.saved(saved.version);
    }
    this.draw();
    return saved !== undefined;
  }

  /** Play the visit through what is set now; an answer that comes too late is not drawn. */
  private async play(): Promise<void> {
    this.playing?.abort();
    const { desk, chosen } = this;
    if (!desk || !chosen) return;
    const mine = new AbortController();
    this.playing = mine;
    try {
      const shown = await desk.preview(this.values, chosen, mine.signal);
      if (mine.signal.aborted) return;
      this.shown = shown;
      this.flaws = {};
      this.trouble = "";
    } catch (error) {
      if (mine.signal.aborted) return;
      this.flaws = flawsOf(error);
      if (Object.keys(this.flaws).length === 0) this.fail(error);
    }
    this.draw();
  }

  private async attempt<T>(work: (desk: Desk) => Promise<T>): Promise<T | undefined> {
    if (!this.desk) return undefined;
    try {
      const found = await work(this.desk);
      this.trouble = "";
      return found;
    } catch (error) {
      this.fail(error);
      return undefined;
    } finally {
      this.draw();
    }
  }

  private fail(error: unknown): void {
    if (!(error instanceof ApiError)) this.trouble = WORDS.offline;
    else if ([401, 403].includes(error.status)) this.leave(WORDS.refused);
    else if (error.status === 412) this.conflict = error.message;
    else this.trouble = error.message;
  }

  private focus(selector: string): void {
    this.root.querySelector<HTMLElement>(selector)?.focus();
  }

  private get changes(): number {
    const { policy, values } = this;
    return policy
      ? Object.keys(policy.limits).filter((place) => valueAt(values, place) !== valueAt(policy.values, place)).length
      : 0;
  }

  private alerts(): TemplateResult {
    return html`${this.trouble ? html`<p class="alert" role="alert">${this.trouble}</p>` : nothing}
      ${
        this.conflict
          ? html`<div class="conflict" role="alert" data-testid="display-conflict"><p>${this.conflict}</p>
        <button type="button" data-testid="display-theirs" @click=${this.theirs}>${WORDS.theirs}</button>
        <button type="button" data-testid="display-mine" @click=${this.mine}>${WORDS.mine}</button></div>`
          : nothing
      }
      <p class="done" role="status" data-testid="display-done">${this.done}</p>`;
  }

  private draw(): void {
    const { desk, policy, values, flaws, shown } = this;
    if (!desk) {
      render(door(this, this.trouble), this.root);
      return;
    }
    const flawed = Object.keys(flaws).length > 0;
    render(
      html`<header class="top"><h1 tabindex="-1">${WORDS.title}</h1>
        <button type="button" @click=${this.signOut}>${WORDS.leave}</button></header>
      <main>${this.alerts()}${
        policy
          ? html`<div class="desk">${sliders(policy, values, flaws, this)}<div class="side">
          ${preview(policy, values, this.chosen, shown, flawed, this)}${saving(this.changes, flawed, this.busy, this)}</div></div>
          ${history(this.versions, policy.version, this)}`
          : html`<p class="muted" role="status">${WORDS.loading}</p>`
      }</main>`,
      this.root,
    );
  }
}

const root = document.querySelector<HTMLElement>("#display");
if (root) {
  const theme = new URL(location.href).searchParams.get("theme");
  if (theme) document.documentElement.dataset.theme = theme;
  addFont(location.origin);
  new DisplayPage(root);
}
