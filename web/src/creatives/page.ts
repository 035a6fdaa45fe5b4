/** The creatives' page: look at what was proposed, approve or reject it, and see who decided what. */
import { html, nothing, render } from "lit";
import { ApiError } from "../api/http.ts";
import { type Campaign, Desk, type Step, type Variant } from "./api.ts";
import { campaigns, type Doing, door, history, queue } from "./views.ts";
import { WORDS } from "./words.ts";

const KEPT = "aisle:creatives";
const DRAWN_AT_ONCE = 12;

/** The page. The key is kept for this tab only. */
export class CreativesPage implements Doing {
  private desk: Desk | undefined;
  private all: readonly Campaign[] | undefined;
  private chosen = "";
  private shown = "";
  private variants: readonly Variant[] = [];
  private steps: readonly Step[] = [];
  private readonly pictures = new Map<string, string>();
  private trouble = "";
  private busy = false;

  constructor(private readonly root: HTMLElement) {
    const kept = sessionStorage.getItem(KEPT);
    if (kept) {
      const { key, name } = JSON.parse(kept) as { key: string; name: string };
      this.desk = new Desk(key, name);
      void this.load();
    }
    this.render();
  }

  readonly signIn = (event: SubmitEvent): void => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    this.desk = new Desk(String(form.get("key")).trim(), String(form.get("name")).trim());
    sessionStorage.setItem(KEPT, JSON.stringify({ key: this.desk.key, name: this.desk.name }));
    void this.load();
  };

  readonly choose = (campaign: string): void => {
    this.chosen = campaign;
    void this.load();
  };

  readonly draw = (): void => {
    void this.change((desk) => desk.draw(this.chosen, DRAWN_AT_ONCE, this.variants.length));
  };

  readonly decide = (variant: string, state: "approved" | "rejected" | "retired"): void => {
    void this.change((desk) => desk.decide(this.chosen, variant, state));
  };

  private readonly leave = (): void => {
    sessionStorage.removeItem(KEPT);
    this.desk = this.all = undefined;
    this.render();
  };

  private async change(work: (desk: Desk) => Promise<void>): Promise<void> {
    this.busy = true;
    this.render();
    await this.attempt(work);
    this.busy = false;
    await this.load();
  }

  private async load(): Promise<void> {
    await this.attempt(async (desk) => {
      this.all = await desk.campaigns();
      if (!this.all.some((one) => one.campaign_id === this.chosen)) this.chosen = this.all[0]?.campaign_id ?? "";
      if (!this.chosen) return;
      const chosen = this.chosen;
      const [variants, steps] = await Promise.all([desk.variants(chosen), desk.history(chosen)]);
      if (chosen !== this.chosen) return; // somebody looks at another campaign by now
      if (chosen !== this.shown) this.pictures.clear(); // campaigns may call their variants alike
      this.shown = chosen;
      this.variants = variants;
      this.steps = steps;
      this.render();
      await this.fetchPictures(desk, chosen);
    });
  }

  /** Fetch the pictures of a campaign, one after the other, for as long as it is the one that is looked at. */
  private async fetchPictures(desk: Desk, campaign: string): Promise<void> {
    for (const { variant_id: id } of this.variants) {
      if (this.pictures.has(id)) continue;
      const picture = await desk.preview(campaign, id);
      if (campaign !== this.chosen) return;
      this.pictures.set(id, picture);
      this.render();
    }
  }

  private async attempt(work: (desk: Desk) => Promise<void>): Promise<void> {
    if (!this.desk) return;
    try {
      this.trouble = "";
      await work(this.desk);
    } catch (error) {
      this.trouble = error instanceof ApiError ? error.message : WORDS.offline;
      if (error instanceof ApiError && [401, 403].includes(error.status)) {
        this.leave();
        this.trouble = WORDS.refused;
      }
    }
    this.render();
  }

  private render(): void {
    const { desk, all, chosen } = this;
    if (!desk) {
      render(door(this, this.trouble), this.root);
      return;
    }
    const alert = this.trouble ? html`<p class="alert" role="alert">${this.trouble}</p>` : nothing;
    const body = chosen
      ? html`${campaigns(all ?? [], chosen, this)}${queue(this.variants, this.pictures, this.busy, this)}${history(this.steps)}`
      : html`<p class="muted" role="status">${all ? WORDS.noCampaign : WORDS.loading}</p>`;
    render(
      html`<header class="top"><h1>${WORDS.title}</h1><button type="button" @click=${this.leave}>${WORDS.leave}</button></header>
      <main>${alert}${body}</main>`,
      this.root,
    );
  }
}
