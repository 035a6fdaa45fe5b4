/** One conversation: what was said, who has it, and the agent's answer. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";
import { Link } from "react-router";
import { ApiError } from "../../api/http.ts";
import { type Answer, read, send } from "../client.ts";
import { Button, Confirm, Empty, Loaded, Tag, useFailed } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import type { Inbox } from "./inbox.tsx";
import { Lines } from "./lines.tsx";
import { Reply } from "./reply.tsx";
import { Side } from "./side.tsx";
import { INBOX_WORDS } from "./words.ts";

export type Detail = Answer<"/v1/agents/handoffs/{handoff_id}", "get">;
type Step = "claim" | "release" | "hand-back" | "take-over";

interface Moves {
  readonly move: (step: Step) => void;
  readonly give: (agent: string) => void;
  readonly busy: boolean;
}

function useMoves(handoff: string): Moves {
  const queries = useQueryClient();
  const path = { params: { path: { handoff_id: handoff } } };
  const settled = {
    onError: useFailed(),
    onSettled: () => queries.invalidateQueries({ queryKey: ["inbox"] }),
  };
  const step = useMutation({
    mutationFn: (to: Step) => send("post", `/v1/agents/handoffs/{handoff_id}/${to}`, path),
    ...settled,
  });
  const transfer = useMutation({
    mutationFn: (agent: string) =>
      send("post", "/v1/agents/handoffs/{handoff_id}/transfer", { ...path, body: { agent_id: agent } }),
    ...settled,
  });
  return { move: step.mutate, give: transfer.mutate, busy: step.isPending || transfer.isPending };
}

function Transfer({
  people,
  give,
}: {
  readonly people: Inbox["people"];
  readonly give: (agent: string) => void;
}): ReactNode {
  const words = useWords(INBOX_WORDS);
  const others = people.filter((person) => !person.me);
  return (
    <MenuTrigger>
      <Button>{words.transfer}</Button>
      <Popover className="popover">
        <Menu
          onAction={(agent) => give(String(agent))}
          renderEmptyState={() => <p className="option">{words.nobodyElse}</p>}
        >
          {others.map((person) => (
            <MenuItem key={person.agent_id} id={person.agent_id} className="option">
              {words.transferTo(person.name, person.serving)}
            </MenuItem>
          ))}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

function Actions({
  detail,
  people,
  moves,
}: {
  readonly detail: Detail;
  readonly people: Inbox["people"];
  readonly moves: Moves;
}): ReactNode {
  const words = useWords(INBOX_WORDS);
  const { state, mine, agent } = detail.handoff;
  if (state === "queued")
    return (
      <Button kind="main" isDisabled={moves.busy} onPress={() => moves.move("claim")}>
        {words.claim}
      </Button>
    );
  if (state !== "human") return null;
  if (!mine)
    return people.some((person) => person.name === agent) ? null : (
      <Button kind="main" isDisabled={moves.busy} onPress={() => moves.move("take-over")}>
        {words.takeOver}
      </Button>
    );
  return (
    <>
      <Transfer people={people} give={moves.give} />
      <Button isDisabled={moves.busy} onPress={() => moves.move("release")}>
        {words.release}
      </Button>
      <Confirm
        opener={<Button kind="main">{words.handBack}</Button>}
        title={words.handBack}
        verb={words.handBack}
        kind="main"
        onConfirm={() => moves.move("hand-back")}
      >
        {words.handBackWhat}
      </Confirm>
    </>
  );
}

function standing({ handoff }: Detail, words: (typeof INBOX_WORDS)["en"]): string {
  if (handoff.state === "queued") return words.firstClaim;
  if (handoff.state === "human") return handoff.mine ? words.claimed : words.isWith(handoff.agent ?? "");
  return words.ended;
}

/** The shopper learns how far the agent has read. */
function useReadMark(detail: Detail): void {
  const last = detail.messages.at(-1)?.message_id;
  const told = useRef<string>(undefined);
  useEffect(() => {
    if (!last || !detail.handoff.mine || detail.handoff.state !== "human" || told.current === last) return;
    told.current = last;
    const path = { handoff_id: detail.handoff.handoff_id };
    void send("post", "/v1/agents/handoffs/{handoff_id}/read", { params: { path }, body: { message_id: last } }).catch(
      () => undefined,
    );
  }, [last, detail]);
}

/** A half-written answer is kept by its conversation: whoever looks at another one comes back to theirs. It goes with the session. */
function useDraft(handoff: string): readonly [string, (change: string | ((was: string) => string)) => void] {
  const queries = useQueryClient();
  const key = ["draft", handoff];
  const [draft, setDraft] = useState(() => queries.getQueryData<string>(key) ?? "");
  const set = (change: string | ((was: string) => string)): void =>
    setDraft((was) => {
      const now = typeof change === "string" ? change : change(was);
      queries.setQueryDefaults(["draft"], { gcTime: Number.POSITIVE_INFINITY });
      queries.setQueryData(key, now);
      return now;
    });
  return [draft, set];
}

function Talk({
  detail,
  people,
  typist,
}: {
  readonly detail: Detail;
  readonly people: Inbox["people"];
  readonly typist: string | undefined;
}): ReactNode {
  const words = useWords(INBOX_WORDS);
  const moves = useMoves(detail.handoff.handoff_id);
  const [draft, setDraft] = useDraft(detail.handoff.handoff_id);
  useReadMark(detail);
  const { handoff } = detail;
  const name = detail.display_name ?? words.shopper;
  const speaking = handoff.state === "human" && handoff.mine;
  return (
    <>
      <section className="talk" aria-label={name}>
        <header className="row">
          <Link className="to-list" to="/inbox">
            {words.back}
          </Link>
          <h2>{name}</h2>
          {handoff.score !== null && <Tag>{words.csat(handoff.score)}</Tag>}
          <span className="row end">
            <Actions detail={detail} people={people} moves={moves} />
          </span>
        </header>
        <p className="muted standing" role="status">
          {standing(detail, words)}
        </p>
        <Lines detail={detail} name={name} typing={typist === handoff.conversation_id} />
        {speaking && <Reply handoff={handoff.handoff_id} draft={draft} setDraft={setDraft} />}
      </section>
      <Side
        detail={detail}
        use={speaking ? (text) => setDraft((was) => (was ? `${was}\n${text}` : text)) : undefined}
      />
    </>
  );
}

export function Conversation({
  handoff,
  people,
  typist,
}: {
  readonly handoff: string;
  readonly people: Inbox["people"];
  readonly typist: string | undefined;
}): ReactNode {
  const words = useWords(INBOX_WORDS);
  const query = useQuery({
    queryKey: ["inbox", handoff],
    queryFn: () => read("/v1/agents/handoffs/{handoff_id}", { params: { path: { handoff_id: handoff } } }),
  });
  if (query.error instanceof ApiError && query.error.status === 404)
    return <Empty title={words.gone}>{words.goneWhat}</Empty>;
  return <Loaded query={query}>{(detail) => <Talk detail={detail} people={people} typist={typist} />}</Loaded>;
}
