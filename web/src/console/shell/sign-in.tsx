/** The door: password, passkey, the company's own sign-in, and in a demo the demo's people. */
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { Form } from "react-aria-components";
import { ApiError } from "../../api/http.ts";
import { read, send } from "../client.ts";
import { Button, TextField } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import { signInByPasskey } from "./passkey.ts";
import { SHELL_WORDS } from "./words.ts";

export function SignIn(): ReactNode {
  const words = useWords(SHELL_WORDS);
  const { look } = useSession();
  const { data: ways } = useQuery({ queryKey: ["ways"], queryFn: () => read("/v1/session/ways") });
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [wrong, setWrong] = useState(() => {
    const failed = new URL(location.href).searchParams.get("failed");
    return failed === null ? "" : (words.failed[failed] ?? words.failedOtherwise);
  });
  const [busy, setBusy] = useState(false);

  const attempt = async (enter: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setWrong("");
    try {
      await enter();
      await look();
    } catch (error) {
      setWrong(error instanceof ApiError ? error.message : error instanceof DOMException ? "" : words.unreachable);
    } finally {
      setBusy(false);
    }
  };
  const enter = (name: string, secret: string): Promise<void> =>
    attempt(() => send("post", "/v1/session", { body: { email: name, password: secret } }));
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (email && password) void enter(email, password);
    else setWrong(words.missing);
  };

  return (
    <main className="door">
      <h1>{words.signIn}</h1>
      {ways && <p className="muted">{words.to(ways.retailer)}</p>}
      <Form className="stack" onSubmit={submit}>
        <TextField
          label={words.email}
          type="email"
          autoComplete="username"
          value={email}
          onChange={setEmail}
          autoFocus
        />
        <TextField
          label={words.password}
          type="password"
          autoComplete="current-password"
          value={password}
          onChange={setPassword}
        />
        <p role="alert" className="wrong">
          {wrong}
        </p>
        <Button kind="main" type="submit" isDisabled={busy}>
          {words.signIn}
        </Button>
      </Form>
      {ways?.passkey && "credentials" in navigator && (
        <Button isDisabled={busy} onPress={() => void attempt(signInByPasskey)}>
          {words.passkey}
        </Button>
      )}
      {ways?.oidc && (
        <a className="button plain" href="/v1/session/oidc">
          {words.oidc(ways.oidc)}
        </a>
      )}
      {ways && ways.demo.length > 0 && (
        <section className="stack" aria-label={words.demo}>
          <p className="muted">{words.demo}</p>
          <div className="row">
            {ways.demo.map((person) => (
              <Button key={person.email} isDisabled={busy} onPress={() => void enter(person.email, person.password)}>
                {words.roles[person.role] ?? person.role}
              </Button>
            ))}
          </div>
        </section>
      )}
    </main>
  );
}
