/** The agents' inbox: who waits, the conversation, and what helps to answer it. */
import { type ReactNode, useEffect } from "react";
import { useParams } from "react-router";
import { Button, Loaded, Page, Tabs, Tag } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { type Inbox, useDesk, useInbox } from "../shell/desk.tsx";
import { Canned } from "./canned.tsx";
import { Conversation } from "./conversation.tsx";
import { Level } from "./level.tsx";
import { Queue } from "./queue.tsx";
import "./inbox.css";
import { INBOX_WORDS } from "./words.ts";

export type { Inbox };
export type Card = Inbox["waiting"][number];

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
  const query = useInbox();
  const { waiting, live, typist, notified, notify } = useDesk();
  useEffect(() => {
    document.title = waiting > 0 ? `(${waiting}) ${words.title} · Aisle` : `${words.title} · Aisle`;
  }, [waiting, words]);
  const notice = notified ? (
    <Tag tone="good">{words.notified}</Tag>
  ) : (
    "Notification" in window && <Button onPress={notify}>{words.notify}</Button>
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
