/** A link that is shown once. */
import { type ReactNode, useState } from "react";
import { Button } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { ACCOUNTS_WORDS } from "./words.ts";

export function OnceLink({ url, done }: { readonly url: string; readonly done: () => void }): ReactNode {
  const words = useWords(ACCOUNTS_WORDS);
  const [copied, setCopied] = useState(false);
  return (
    <div className="stack">
      <p>{words.link}</p>
      <p className="once" dir="ltr">
        <code>{url}</code>
      </p>
      <p role="status" className="muted">
        {copied ? words.copied : ""}
      </p>
      <div className="row end">
        <Button onPress={() => void navigator.clipboard.writeText(url).then(() => setCopied(true))}>
          {words.copy}
        </Button>
        <Button kind="main" onPress={done}>
          {words.done}
        </Button>
      </div>
    </div>
  );
}
