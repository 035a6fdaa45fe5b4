/** What was said, oldest first; it stays at its end unless the agent scrolled up. */
import { type ReactNode, useEffect, useRef } from "react";
import { useFormats, useWords } from "../language.tsx";
import type { Detail } from "./conversation.tsx";
import { INBOX_WORDS } from "./words.ts";

type Message = Detail["messages"][number];
const NEAR_END_PX = 120;

function Line({
  message,
  name,
  read,
}: {
  readonly message: Message;
  readonly name: string;
  readonly read: boolean;
}): ReactNode {
  const words = useWords(INBOX_WORDS);
  const { time } = useFormats();
  const who = message.role === "user" ? name : message.role === "bot" ? words.bot : (message.agent ?? "");
  return (
    <li className={message.role}>
      <p className="by">
        {who}
        {message.at && <time dateTime={message.at}>{time(message.at)}</time>}
      </p>
      <p className="said" dir="auto">
        {message.text}
      </p>
      {message.items && message.items.length > 0 && (
        <p className="muted">{message.items.map((item) => `${item.name}, ${item.price.text}`).join(" · ")}</p>
      )}
      {message.attachments?.map((file) => (
        <a key={file.attachment_id} href={file.url} target="_blank" rel="noreferrer">
          {file.media_type === "image/jpeg" ? <img src={file.url} alt={file.name} /> : file.name}
        </a>
      ))}
      {read && <p className="muted">{words.readHere}</p>}
    </li>
  );
}

export function Lines({
  detail,
  name,
  typing,
}: {
  readonly detail: Detail;
  readonly name: string;
  readonly typing: boolean;
}): ReactNode {
  const words = useWords(INBOX_WORDS);
  const list = useRef<HTMLDivElement>(null);
  const near = useRef(true);
  const count = detail.messages.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new message is the reason to scroll
  useEffect(() => {
    const element = list.current;
    if (element && near.current) element.scrollTop = element.scrollHeight;
  }, [count, typing]);
  const seen = (): void => {
    const element = list.current;
    if (element) near.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_END_PX;
  };
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1)
    <div className="lines" role="log" aria-label={words.conversations} ref={list} onScroll={seen} tabIndex={0}>
      <ol>
        {detail.messages.map((message) => (
          <Line
            key={message.message_id}
            message={message}
            name={name}
            read={message.role === "agent" && message.message_id === detail.read_by_user}
          />
        ))}
      </ol>
      {typing && <p className="muted">{words.typing(name)}</p>}
    </div>
  );
}
