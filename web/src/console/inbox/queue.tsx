/** The list of conversations: who waits, one's own, and those of colleagues. */
import type { ReactNode } from "react";
import { Link } from "react-router";
import { Empty, Tag, type Tone } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import type { Card, Inbox } from "./inbox.tsx";
import { INBOX_WORDS } from "./words.ts";

const TONES: Readonly<Record<number, Tone>> = { 1: "plain", 2: "warn", 3: "bad" };

function Entry({ card, chosen }: { readonly card: Card; readonly chosen: boolean }): ReactNode {
  const words = useWords(INBOX_WORDS);
  const { ago } = useFormats();
  return (
    <li>
      <Link to={`/inbox/${card.handoff_id}`} aria-current={chosen ? "true" : undefined}>
        <span className="row">
          <strong>{words.reasons[card.reason] ?? card.reason}</strong>
          {card.state === "queued" && (
            <Tag tone={TONES[card.urgency] ?? "plain"}>{words.urgency[card.urgency] ?? card.urgency}</Tag>
          )}
          {card.left.length > 0 && <Tag>{words.left}</Tag>}
        </span>
        <span className="last" dir="auto">
          {card.summary.at(-1)}
        </span>
        <span className="muted">
          {words.waits(ago(card.queued_at))}
          {card.agent && !card.mine && ` · ${words.with(card.agent)}`}
        </span>
      </Link>
    </li>
  );
}

export function Queue({ inbox, chosen }: { readonly inbox: Inbox; readonly chosen: string | undefined }): ReactNode {
  const words = useWords(INBOX_WORDS);
  const mine = inbox.served.filter((card) => card.mine);
  const others = inbox.served.filter((card) => !card.mine);
  const lists = [
    { title: words.waiting(inbox.waiting.length), cards: inbox.waiting, empty: true },
    { title: words.mine(mine.length), cards: mine, empty: false },
    { title: words.others(others.length), cards: others, empty: false },
  ];
  return (
    <nav className="queue" aria-label={words.conversations}>
      {lists
        .filter(({ cards, empty }) => cards.length > 0 || empty)
        .map(({ title, cards }) => (
          <section key={title}>
            <h2>{title}</h2>
            {cards.length === 0 ? (
              <Empty title={words.nobodyWaits}>{words.nobodyWaitsWhat}</Empty>
            ) : (
              <ul>
                {cards.map((card) => (
                  <Entry key={card.handoff_id} card={card} chosen={card.handoff_id === chosen} />
                ))}
              </ul>
            )}
          </section>
        ))}
    </nav>
  );
}
