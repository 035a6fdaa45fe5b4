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
  readonly text: string;
  readonly product_ids?: readonly string[];
  readonly expires_at: string;
  readonly qr_url: string;
}

export interface QuickReply {
  readonly title: string;
  readonly text: string;
}

export interface BotMessage {
  readonly message_id: string;
  readonly role: "bot";
  readonly text: string;
  readonly items?: readonly ItemCard[];
  readonly coupon?: CouponCard | null;
  readonly quick_replies?: readonly QuickReply[];
  readonly decision_id?: string | null;
  readonly at?: string;
}

export interface ShopperMessage {
  readonly message_id: string;
  readonly role: "user";
  readonly text: string;
  readonly at?: string;
}

export type Message = BotMessage | ShopperMessage;

export interface Affect {
  readonly valence: number;
  readonly arousal: number;
  readonly label: string;
}

export interface ChatReply {
  readonly messages: readonly BotMessage[];
  readonly affect?: Affect | null;
  readonly engine: "rasa" | "fallback";
  readonly handoff: boolean;
}

export interface Conversation {
  readonly conversation_id: string;
  readonly messages: readonly Message[];
  readonly handoff?: boolean;
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

export type KioskMode = "attract" | "welcome" | "calm" | "enrolment" | "offline";

export interface Privacy {
  /** Whether a camera is known to look; this page's own is known here anyway. */
  readonly camera?: boolean;
  readonly recognised: boolean;
  readonly text: string;
}

export interface Poster {
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
  readonly slides?: readonly Slide[];
  readonly retailer: string;
  readonly decision_id?: string | null;
}

/** RFC 9457 problem document. */
export interface Problem {
  readonly type?: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly code?: string;
}
