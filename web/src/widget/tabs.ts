/** What tabs of the same page tell each other about one session. */
import type { Hand, Message } from "../api/types.ts";

export type TabNews =
  | { readonly kind: "outbox" }
  | { readonly kind: "messages"; readonly messages: readonly Message[] }
  | { readonly kind: "hand"; readonly hand: Hand }
  | { readonly kind: "forgotten" };

/** A line to the other tabs; without BroadcastChannel each tab is on its own until it reads the history. */
export class Tabs {
  private readonly channel: BroadcastChannel | undefined;

  constructor(name: string, onNews: (news: TabNews) => void) {
    if (typeof BroadcastChannel === "undefined") return;
    this.channel = new BroadcastChannel(name);
    this.channel.onmessage = ({ data }: MessageEvent<TabNews>) => onNews(data);
  }

  /** Tell the others. */
  tell(news: TabNews): void {
    this.channel?.postMessage(news);
  }

  /** Stop listening. */
  close(): void {
    this.channel?.close();
  }
}
