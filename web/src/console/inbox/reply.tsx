/** The agent's answer. What could not be sent stays, and is sent again under the same id, so that it arrives once. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from "react";
import { uuid7 } from "../../lib/uuid.ts";
import { send } from "../client.ts";
import { Button, useSaid } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { INBOX_WORDS } from "./words.ts";

const TYPING_EVERY_MS = 3_000;

interface ReplyProps {
  readonly handoff: string;
  readonly draft: string;
  readonly setDraft: (text: string) => void;
}

export function Reply({ handoff, draft, setDraft }: ReplyProps): ReactNode {
  const words = useWords(INBOX_WORDS);
  const said = useSaid();
  const queries = useQueryClient();
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const pending = useRef<{ readonly text: string; readonly id: string }>(undefined);
  const told = useRef(0);
  const path = { handoff_id: handoff };
  useEffect(() => field.current?.focus(), []);
  const { mutate, isPending, isError, error } = useMutation({
    mutationFn: (text: string) => {
      const again = pending.current?.text === text ? pending.current : { text, id: uuid7() };
      pending.current = again;
      const body = { text, client_message_id: again.id };
      return send("post", "/v1/agents/handoffs/{handoff_id}/messages", { params: { path }, body });
    },
    onSuccess: (_, text) => {
      pending.current = undefined;
      if (field.current?.value.trim() === text) setDraft("");
      return queries.invalidateQueries({ queryKey: ["inbox", handoff] });
    },
  });
  const submit = (): void => {
    const text = draft.trim();
    if (text && !isPending) mutate(text);
  };
  const type = (text: string): void => {
    setDraft(text);
    if (Date.now() - told.current < TYPING_EVERY_MS) return;
    told.current = Date.now();
    void send("post", "/v1/agents/handoffs/{handoff_id}/typing", { params: { path }, body: { on: true } }).catch(
      () => undefined,
    );
  };
  const press = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    submit();
  };
  return (
    <form
      className="reply field"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label htmlFor={id}>{words.reply}</label>
      <textarea
        id={id}
        ref={field}
        rows={3}
        dir="auto"
        maxLength={4000}
        value={draft}
        aria-describedby={`${id}-help`}
        onChange={(event) => type(event.target.value)}
        onKeyDown={press}
      />
      <div className="row end">
        <small className="help" id={`${id}-help`}>
          {words.replyHelp}
        </small>
        <Button kind="main" type="submit" isDisabled={isPending || !draft.trim()}>
          {words.send}
        </Button>
      </div>
      {isError && (
        <p className="react-aria-FieldError" role="alert">
          {words.unsent} {said(error)}
        </p>
      )}
    </form>
  );
}
