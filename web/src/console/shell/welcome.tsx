/** Where the link of an invitation leads: choose a password, and come in. */
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { Form } from "react-aria-components";
import { ask, send } from "../client.ts";
import { Button, Loaded, TextField } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { weakness } from "./weak.ts";
import { SHELL_WORDS } from "./words.ts";

/** The code of the link that was followed; it stands behind #, which no server is told. */
export function invitation(): string {
  return location.pathname.endsWith("/console/welcome") ? location.hash.slice(1) : "";
}

export function Welcome({ code }: { readonly code: string }): ReactNode {
  const words = useWords(SHELL_WORDS);
  const query = useQuery({
    queryKey: ["welcome", code],
    queryFn: () => ask("/v1/session/invitation", { body: { code } }),
    retry: false,
  });
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    setBusy(true);
    setWrong("");
    send("post", "/v1/session/welcome", { body: { code, password } })
      .then(() => location.replace("/console/"))
      .catch((error: unknown) => {
        setWrong(error instanceof Error ? (weakness(error, words.weak) ?? error.message) : words.unreachable);
        setBusy(false);
      });
  };
  return (
    <main className="door">
      <h1>{words.welcome}</h1>
      <Loaded query={query}>
        {(invited) => (
          <Form className="stack" onSubmit={submit}>
            <p className="muted">{words.welcomeWhat(invited.name)}</p>
            <TextField
              label={words.email}
              type="email"
              autoComplete="username"
              value={invited.email}
              onChange={() => undefined}
              disabled
            />
            <TextField
              label={words.newPassword}
              help={words.newPasswordHelp}
              type="password"
              autoComplete="new-password"
              value={password}
              onChange={setPassword}
              autoFocus
            />
            <p role="alert" className="wrong">
              {wrong}
            </p>
            <Button kind="main" type="submit" isDisabled={busy || !password}>
              {words.comeIn}
            </Button>
          </Form>
        )}
      </Loaded>
    </main>
  );
}
