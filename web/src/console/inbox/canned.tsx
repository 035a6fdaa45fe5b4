/** Words that agents use again and again. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { type Answer, onlyIf, readAll, send } from "../client.ts";
import {
  Ask,
  Button,
  Card,
  Choice,
  Confirm,
  Empty,
  Loaded,
  TextArea,
  TextField,
  useFailed,
  useToast,
  Wrong,
} from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { INBOX_WORDS } from "./words.ts";

type CannedAnswer = Answer<"/v1/agents/canned-answers", "get">["answers"][number];
const KEY = ["canned-answers"];
const tagOf = (answer: CannedAnswer): string => `"answer-${answer.version}"`;

function Editor({ answer, done }: { readonly answer?: CannedAnswer; readonly done: () => void }): ReactNode {
  const words = useWords(INBOX_WORDS);
  const queries = useQueryClient();
  const tell = useToast();
  const [seen, setSeen] = useState(answer && tagOf(answer)); // what the dialog began with, whatever is read meanwhile
  const [title, setTitle] = useState(answer?.title ?? "");
  const [text, setText] = useState(answer?.text ?? "");
  const [language, setLanguage] = useState(answer?.language ?? "en");
  const save = useMutation({
    mutationFn: () => {
      const body = { title: title.trim(), text: text.trim(), language };
      return answer && seen
        ? send("put", "/v1/agents/canned-answers/{answer_id}", {
            params: { path: { answer_id: answer.answer_id }, header: onlyIf(seen) },
            body,
          })
        : send("post", "/v1/agents/canned-answers", { body });
    },
    onSuccess: () => {
      tell(words.saved);
      done();
    },
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (title.trim() && text.trim()) save.mutate();
  };
  const languages = Object.entries(words.languages).map(([id, name]) => ({ id, name }));
  return (
    <form className="stack" onSubmit={submit}>
      <TextField label={words.answerTitle} value={title} onChange={setTitle} maxLength={60} required />
      <TextArea label={words.answerText} value={text} onChange={setText} maxLength={2000} required />
      <Choice label={words.answerLanguage} value={language} onChange={setLanguage} options={languages} />
      <Wrong
        error={save.error}
        theirs={
          answer &&
          (() => {
            setTitle(answer.title);
            setText(answer.text);
            setLanguage(answer.language);
            setSeen(tagOf(answer));
            save.reset();
          })
        }
        mine={(etag) => {
          setSeen(etag ?? seen);
          save.reset();
        }}
      />
      <div className="row end">
        <Button kind="main" type="submit" isDisabled={save.isPending || !title.trim() || !text.trim()}>
          {words.save}
        </Button>
      </div>
    </form>
  );
}

function Entry({ answer }: { readonly answer: CannedAnswer }): ReactNode {
  const words = useWords(INBOX_WORDS);
  const { ago } = useFormats();
  const queries = useQueryClient();
  const tell = useToast();
  const failed = useFailed();
  const remove = useMutation({
    mutationFn: () =>
      send("delete", "/v1/agents/canned-answers/{answer_id}", {
        params: { path: { answer_id: answer.answer_id }, header: onlyIf(tagOf(answer)) },
      }),
    onSuccess: () => tell(words.deleted),
    onError: failed,
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
  return (
    <Card
      title={answer.title}
      actions={
        <>
          <Ask title={answer.title} opener={<Button kind="quiet">{words.edit}</Button>}>
            {(close) => <Editor answer={answer} done={close} />}
          </Ask>
          <Confirm
            title={words.deleteAnswer}
            verb={words.delete}
            opener={<Button kind="quiet">{words.delete}</Button>}
            onConfirm={() => remove.mutate()}
          >
            {words.deleteAnswerWhat(answer.title)}
          </Confirm>
        </>
      }
    >
      <p dir="auto">{answer.text}</p>
      <p className="muted">
        {words.languages[answer.language] ?? answer.language} · {words.changedBy(answer.by, ago(answer.at))}
      </p>
    </Card>
  );
}

export function Canned(): ReactNode {
  const words = useWords(INBOX_WORDS);
  const query = useQuery({ queryKey: KEY, queryFn: () => readAll("/v1/agents/canned-answers", "answers") });
  const create = (
    <Ask title={words.newAnswer} opener={<Button kind="main">{words.newAnswer}</Button>}>
      {(close) => <Editor done={close} />}
    </Ask>
  );
  return (
    <Loaded query={query}>
      {({ answers }) =>
        answers.length === 0 ? (
          <Empty title={words.noAnswers} action={create}>
            {words.noAnswersWhat}
          </Empty>
        ) : (
          <div className="stack">
            <div className="row">{create}</div>
            <div className="grid">
              {answers.map((answer) => (
                <Entry key={answer.answer_id} answer={answer} />
              ))}
            </div>
          </div>
        )
      }
    </Loaded>
  );
}
