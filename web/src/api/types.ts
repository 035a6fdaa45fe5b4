/** What the api sends and takes, as the widget, the kiosk and the demo shop read it. */

export interface Money {
  readonly minor_units: number;
  readonly currency: string;
  readonly text: string;
}

export interface ItemCard {
  readonly product_id: string;
  readonly name: string;
  readonly price: Money;
  readonly regular_price?: Money | null;
  readonly picture_url: string;
  readonly reason: string;
  readonly reason_code?: string;
  readonly category?: string;
  readonly rank?: number;
}

export interface CouponCard {
  readonly code: string;
  readonly discount: Money;
  /** What it takes off and why, in one piece. */
  readonly text: string;
  readonly product_name?: string | null;
  readonly reason?: string | null;
  readonly product_ids?: readonly string[];
  readonly expires_at: string;
  readonly qr_url: string;
}

export interface QuickReply {
  readonly title: string;
  readonly text: string;
}

/** A file that a shopper or a person of the shop sent. */
export interface Attachment {
  readonly attachment_id: string;
  readonly name: string;
  readonly media_type: string;
  readonly url: string;
  readonly size?: number;
}

/** Rows to compare, as plain text. */
export interface Table {
  readonly caption?: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** One line of a basket or an order. */
export interface BasketLine {
  readonly product_id?: string;
  readonly name: string;
  readonly quantity?: number;
  readonly price?: Money | null;
  /** Of all its pieces. */
  readonly amount?: Money | null;
  readonly picture_url?: string;
}

/** The shopper's basket as the api keeps it, in the chat and on the page. */
export interface Basket {
  readonly lines: readonly Required<BasketLine>[];
  readonly pieces: number;
  readonly total: Money;
}

/** A basket, or what an order holds. */
export interface BasketView {
  readonly lines: readonly BasketLine[];
  readonly total?: Money | null;
}

/** An order's card. */
export interface OrderView extends Partial<BasketView> {
  readonly order_id: string;
  readonly status?: string;
}

/** What the shop says: its assistant, or with `role` "agent" a person of its team. */
export interface BotMessage {
  readonly message_id: string;
  readonly role: "bot" | "agent";
  readonly text: string;
  readonly act?: string | null;
  readonly agent?: string | null;
  readonly items?: readonly ItemCard[];
  readonly coupon?: CouponCard | null;
  readonly quick_replies?: readonly QuickReply[];
  readonly decision_id?: string | null;
  readonly at?: string;
  readonly table?: Table | null;
  readonly basket?: BasketView | null;
  readonly order?: OrderView | null;
  readonly attachments?: readonly Attachment[];
  /** More of it is still coming. */
  readonly partial?: boolean;
}

export interface ShopperMessage {
  readonly message_id: string;
  readonly role: "user";
  readonly text: string;
  readonly at?: string;
  readonly client_message_id?: string | null;
  readonly attachments?: readonly Attachment[];
}

export type Message = BotMessage | ShopperMessage;

/** Who answers a conversation, and what is known of the wait for a person. */
export interface Hand {
  readonly state: "bot" | "queued" | "human" | "returned" | "closed";
  readonly position?: number | null;
  readonly wait_s?: number | null;
  readonly agent?: string | null;
  /** A rating may be given. */
  readonly rate?: boolean;
}

export interface Affect {
  readonly valence: number;
  readonly arousal: number;
  readonly label: string;
}

export interface ChatReply {
  readonly messages: readonly BotMessage[];
  readonly affect?: Affect | null;
  readonly engine: "rasa" | "fallback" | "human";
  readonly handoff: boolean;
  readonly state?: string;
  /** The shopper's own message as it was stored. */
  readonly message_id?: string;
  readonly attachments?: readonly Attachment[];
}

export interface Conversation {
  readonly conversation_id: string;
  readonly messages: readonly Message[];
  readonly handoff?: boolean;
  readonly state?: string;
  readonly read_by_agent?: string | null;
}

export interface WidgetToken {
  readonly token: string;
  readonly visitor_id: string;
  readonly member_id?: string | null;
  readonly display_name?: string | null;
  readonly expires_at?: string | null;
}

/** What a widget token may report; orders come from the shop's own server. */
export type OutcomeType = "page_viewed" | "viewed" | "clicked" | "added_to_basket";

export interface OutcomeEvent {
  readonly event_id: string;
  readonly type: OutcomeType;
  readonly at: string;
  readonly channel: "widget";
  readonly decision_id?: string;
  readonly product_id?: string;
}

export interface DecisionView {
  readonly decision_id: string;
  readonly items: readonly ItemCard[];
  readonly coupon?: CouponCard | null;
  readonly explanation?: string;
}

export interface LinkCode {
  readonly code: string;
  readonly expires_at: string;
}

export interface DemoMember {
  readonly member_id: string;
  readonly display_name: string;
  readonly about?: string;
}

export type KioskMode = "attract" | "welcome" | "inspire" | "calm" | "help" | "enrolment" | "offline";

export interface Privacy {
  /** Whether a camera is known to look; this page's own is known here anyway. */
  readonly camera?: boolean;
  readonly recognised: boolean;
  /** Whether expressions may be read here, as the notice at the entrance tells. */
  readonly expression?: boolean;
  readonly text: string;
}

/** A film that is played in a poster's place; `still` is for who wants no motion. */
export interface Film {
  readonly film_id: string;
  readonly url: string;
  readonly still: string;
  readonly seconds: number;
}

export interface Poster {
  readonly film?: Film | null;
  readonly creative_id?: string;
  readonly url: string;
  readonly alt: string;
  readonly width: number;
  readonly height: number;
}

export interface Slide {
  readonly headline: string;
  readonly poster?: Poster | null;
  readonly item?: ItemCard | null;
}

/** The notice that hangs at the store's entrance, in the shop's own words, and what its cameras may do. */
export interface Notice {
  readonly uses: readonly ("recognition" | "expression" | "adaptation")[];
  readonly purpose: string;
  readonly retention_days: number;
  readonly version: number;
  readonly at: string;
  readonly text: string;
}

export interface DisplayState {
  readonly kiosk_id: string;
  readonly revision: number;
  readonly mode: KioskMode;
  readonly privacy: Privacy;
  readonly headline: string;
  readonly subline?: string;
  readonly items: readonly ItemCard[];
  readonly coupon?: CouponCard | null;
  readonly poster?: Poster | null;
  /** The poster is being designed: the same display comes again with it. */
  readonly poster_follows?: boolean;
  readonly slides?: readonly Slide[];
  readonly retailer: string;
  readonly decision_id?: string | null;
  /** What a page says headline and subline from, in other languages. */
  readonly words?: { readonly name: string | null; readonly contact: string; readonly shared: boolean };
  /** Null while the store's operator has switched nothing on: nobody can enrol. */
  readonly notice?: Notice | null;
  /** Copies that carry another number are deleted. */
  readonly epoch?: number;
  /** A sealed note of whom this display greets. */
  readonly ticket?: string | null;
}

/** What a shopper did beside writing: kinds of acts, without where or when. */
export type Behaviour = "rage_click" | "resent" | "hurried_scroll" | "reopened_chat";

/** RFC 9457 problem document. */
export interface Problem {
  /** Who was faster (412), where that is known. */
  readonly by?: string | null;
  readonly type?: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly code?: string;
  /** Why a password is refused, for `weak-password`. */
  readonly reason?: string;
  readonly errors?: readonly { readonly where: string; readonly reason: string }[];
}
