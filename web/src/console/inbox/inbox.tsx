/** The agents' inbox: who waits, the conversation, and what helps to answer it. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useParams } from "react-router";
import { type Answer, read } from "../client.ts";
import { Button, Loaded, Page, Tabs, Tag, useStream } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { Canned } from "./canned.tsx";
import { Conversation } from "./conversation.tsx";
import { Level } from "./level.tsx";
import { Queue } from "./queue.tsx";
import "./inbox.css";
import { INBOX_WORDS } from "./words.ts";

export type Inbox = Answer<"/v1/agents/inbox", "get">;
export type Card = Inbox["waiting"][number];

const LOOK_AGAIN_MS = 15_000;
const TYPING_MS = 3_000;

/** Tell of new shoppers, in the title and, where it is allowed, by the browser. */
function useNotices(waiting: number): readonly [boolean, () => void] {
  const words = useWords(INBOX_WORDS);
  const [allowed, setAllowed] = useState(() => "Notification" in window && Notification.permission === "granted");
  const before = useRef(waiting);
  useEffect(() => {
    if (waiting > before.current && allowed && document.hidden)
      new Notification(words.arrived(waiting), { tag: "inbox" });
    before.current = waiting;
    document.title = waiting > 0 ? `(${waiting}) ${words.title} · Aisle` : `${words.title} · Aisle`;
  }, [waiting, allowed, words]);
  const ask = (): void => void Notification.requestPermission().then((answer) => setAllowed(answer === "granted"));
  return [allowed, ask];
}

/** The conversation in which the shopper types now. */
function useTypists(): readonly [string | undefined, (data: string) => void] {
  const [typist, setTypist] = useState<string>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const hear = (data: string): void => {
    const { conversation_id: of, on } = JSON.parse(data) as { conversation_id: string; on: boolean };
    clearTimeout(timer.current);
    setTypist(on ? of : undefined);
    if (on) timer.current = setTimeout(() => setTypist(undefined), TYPING_MS + 1000);
  };
  return [typist, hear];
}

function Desk({ inbox, typist }: { readonly inbox: Inbox; readonly typist: string | undefined }): ReactNode {
  const words = useWords(INBOX_WORDS);
  const { handoff } = useParams();
  return (
    <div className={handoff ? "desk chosen" : "desk"}>
      <Queue inbox={inbox} chosen={handoff} />
      {handoff ? (
        <Conversation key={handoff} handoff={handoff} people={inbox.people} typist={typist} />
      ) : (
        <p className="muted choose">{words.choose}</p>
      )}
    </div>
  );
}

export default function InboxPage(): ReactNode {
  const words = useWords(INBOX_WORDS);
  const queries = useQueryClient();
  const query = useQuery({
    queryKey: ["inbox"],
    queryFn: () => read("/v1/agents/inbox"),
    refetchInterval: LOOK_AGAIN_MS,
  });
  const [typist, hearTyping] = useTypists();
  const live = useStream("/v1/agents/stream", ({ name, data }) => {
    if (name === "typing") hearTyping(data);
    else void queries.invalidateQueries({ queryKey: ["inbox"] });
  });
  const waiting = query.data?.waiting.length ?? 0;
  const [notified, askToNotify] = useNotices(waiting);
  const notice = notified ? (
    <Tag tone="good">{words.notified}</Tag>
  ) : (
    "Notification" in window && <Button onPress={askToNotify}>{words.notify}</Button>
  );
  const parts = [
    {
      id: "conversations",
      name: words.conversations,
      content: () => <Loaded query={query}>{(inbox) => <Desk inbox={inbox} typist={typist} />}</Loaded>,
    },
    { id: "level", name: words.level, content: () => <Level /> },
    { id: "canned", name: words.canned, content: () => <Canned /> },
  ];
  return (
    <Page
      title={words.title}
      about={words.about}
      actions={
        <>
          <Tag tone={live ? "good" : "warn"}>{live ? words.live : words.notLive}</Tag>
          {notice}
        </>
      }
    >
      <p className="unseen" role="status">
        {waiting > 0 ? words.arrived(waiting) : ""}
      </p>
      <Tabs label={words.title} parts={parts} />
    </Page>
  );
}
