/** The demo shop: what a retailer's page would be, around the one script tag. */
import "../../tokens.css";
import "./shop.css";
import { html, nothing, render, type TemplateResult } from "lit";
import { fetchJson } from "../api/http.ts";
import { OutcomeLog } from "../api/outcomes.ts";
import { Session } from "../api/session.ts";
import { addToBasket, makeLinkCode, readBasket, recommend, setInBasket } from "../api/shopper.ts";
import type { Basket, DecisionView, DemoMember, ItemCard, LinkCode } from "../api/types.ts";
import { addFont } from "../lib/font.ts";
import { basketButton, basketView, bones, memberSwitch, pairing, productTile } from "./views.ts";
import { lastHere, next, tokenUrl, type Who } from "./who.ts";
import { WORDS } from "./words.ts";

const SLATE = 12;

interface DemoMembers {
  readonly members: readonly DemoMember[];
  readonly retailer?: string;
}

/** The page. */
class Shop {
  private members: readonly DemoMember[] = [];
  private retailer = "";
  private who: Who = lastHere();
  private session = this.newSession();
  private outcomes = new OutcomeLog(this.session);
  private decision: DecisionView | undefined;
  private failed = false;
  private basket: Basket | undefined;
  private basketTrouble = "";
  private added = "";
  private code: LinkCode | undefined;
  private codeTrouble = "";

  constructor(private readonly root: HTMLElement) {
    // The chat and the page have one basket: whichever changes it, the other shows it at once.
    document.addEventListener("aisle:basket", (event) => this.show((event as CustomEvent<Basket>).detail));
  }

  /** Load everything. */
  async start(): Promise<void> {
    this.draw();
    const answer = await fetchJson<DemoMembers | readonly DemoMember[]>("/demo/members").catch(() => undefined);
    const found = answer && "members" in answer ? answer : { members: answer ?? [] };
    this.members = found.members;
    this.retailer = ("retailer" in found && found.retailer) || "";
    if (this.retailer) document.title = this.retailer;
    if (this.who.member && !this.members.some((one) => one.member_id === this.who.member)) this.pick("");
    this.addWidget();
    void this.change(readBasket);
    await this.loadProducts();
  }

  private newSession(): Session {
    return new Session({ api: location.origin, tokenUrl: tokenUrl(this.who) });
  }

  private addWidget(): void {
    const chat = document.createElement("aisle-chat");
    chat.setAttribute("token-url", tokenUrl(this.who));
    chat.setAttribute("files", "yes");
    const { theme } = document.documentElement.dataset;
    if (theme) chat.dataset.theme = theme;
    document.body.append(chat);
    const script = document.createElement("script");
    script.src = "/widget.js";
    document.body.append(script);
  }

  private async loadProducts(): Promise<void> {
    const { session } = this;
    this.failed = false;
    this.decision = undefined;
    this.draw();
    try {
      const decision = await recommend(session, SLATE);
      if (session !== this.session) return;
      this.decision = decision;
      const { decision_id } = decision;
      for (const item of decision.items) {
        this.outcomes.add({ type: "viewed", decisionId: decision_id, productId: item.product_id });
      }
    } catch {
      this.failed = session === this.session;
    }
    this.draw();
  }

  private pick(who: string): void {
    if (who === this.who.member) return;
    const { outcomes, session } = this;
    void outcomes.flush().finally(() => session.signOut());
    this.who = next(this.who, who);
    this.session = this.newSession();
    this.outcomes = new OutcomeLog(this.session);
    this.basket = undefined;
    this.code = undefined;
    document.querySelector("aisle-chat")?.setAttribute("token-url", tokenUrl(this.who));
    void this.change(readBasket);
    void this.loadProducts();
  }

  private show(basket: Basket): void {
    this.basket = basket;
    this.draw();
  }

  /** Ask the shop for a change of the basket, and show what is in it then; says whether that worked. */
  private async change(work: (session: Session) => Promise<Basket>): Promise<boolean> {
    const { session } = this;
    const basket = await work(session).catch(() => undefined);
    if (session !== this.session) return false;
    this.basketTrouble = basket ? "" : WORDS.basketFailed;
    if (basket) this.basket = basket;
    this.draw();
    return basket !== undefined;
  }

  private async add(item: ItemCard): Promise<void> {
    const decisionId = this.decision?.decision_id ?? null;
    if (!(await this.change((session) => addToBasket(session, item.product_id, decisionId)))) return;
    this.outcomes.add({ type: "added_to_basket", decisionId, productId: item.product_id });
    this.added = item.product_id;
    setTimeout(() => {
      this.added = "";
      this.draw();
    }, 1600);
    this.draw();
  }

  private async pair(): Promise<void> {
    this.code = undefined;
    this.codeTrouble = "";
    this.open("pair");
    this.draw();
    try {
      this.code = await makeLinkCode(this.session);
    } catch {
      this.codeTrouble = WORDS.pairFailed;
    }
    this.draw();
  }

  private open(name: string): void {
    this.root.querySelector<HTMLDialogElement>(`dialog.${name}`)?.showModal();
  }

  private get member(): DemoMember | undefined {
    return this.members.find((one) => one.member_id === this.who.member);
  }

  private get grid(): TemplateResult {
    if (this.failed) {
      return html`<div class="blank" role="alert" data-testid="shop-error"><p>${WORDS.failed}</p>
        <button type="button" class="primary" @click=${() => void this.loadProducts()}>${WORDS.retry}</button></div>`;
    }
    if (!this.decision) return bones();
    const { items } = this.decision;
    if (items.length === 0) {
      return html`<div class="blank" data-testid="shop-empty"><p><strong>${WORDS.noProducts}</strong></p><p>${WORDS.noProductsHow}</p></div>`;
    }
    return html`<ul class="grid" data-testid="shop-products">
      ${items.map((item) => productTile(item, this.added === item.product_id, () => void this.add(item)))}</ul>`;
  }

  private dialog(name: string, title: string, body: TemplateResult): TemplateResult {
    const close = (): void => this.root.querySelector<HTMLDialogElement>(`dialog.${name}`)?.close();
    return html`<dialog class=${name} aria-labelledby="${name}-title" data-testid="${name}-dialog">
      <div class="dialog-head"><h2 id="${name}-title">${title}</h2>
      <button type="button" class="close" aria-label=${WORDS.close} @click=${close}>×</button></div>${body}</dialog>`;
  }

  private draw(): void {
    const member = this.member;
    const name = member?.display_name.split(" ")[0];
    const pairButton = html`<button type="button" class="pair-button" data-testid="pair-button" @click=${() => void this.pair()}>${WORDS.pair}</button>`;
    render(
      html`<header class="top">
          <p class="brand">${this.retailer || html`&nbsp;`}</p>
          ${memberSwitch(this.members, this.who.member, (who) => this.pick(who))}
          ${basketButton(this.basket, () => this.open("basket"))}
        </header>
        ${this.basketTrouble ? html`<p class="note" role="alert" data-testid="basket-trouble">${this.basketTrouble}</p>` : nothing}
        <main>
          <div class="hero"><div><h1 data-testid="shop-title">${name ? WORDS.titleMember(name) : WORDS.titleVisitor}</h1>
            <p>${name ? WORDS.leadMember(member?.about) : WORDS.leadVisitor}</p></div>${name ? pairButton : nothing}</div>
          ${this.grid}
        </main>
        <footer class="base"><p>${WORDS.demo}</p></footer>
        ${this.dialog(
          "basket",
          WORDS.basket,
          basketView(this.basket, (id, count) => {
            void this.change((session) => setInBasket(session, id, count));
          }),
        )}
        ${this.dialog("pair", WORDS.pairTitle, pairing(this.code, this.codeTrouble))}`,
      this.root,
    );
  }
}

const theme = new URL(location.href).searchParams.get("theme");
if (theme) document.documentElement.dataset.theme = theme;
const dir = new URL(location.href).searchParams.get("dir");
if (dir) document.documentElement.dir = dir;
addFont(location.origin);
const root = document.querySelector<HTMLElement>("#shop");
if (root) void new Shop(root).start();
