/** A page that takes a scope: who lacks it is told so before anything is asked for. */
import type { ReactNode } from "react";
import { ButtonLink, Empty, Page } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import { SHELL_WORDS } from "./words.ts";

export function Gate({
  scope,
  name,
  children,
}: {
  readonly scope: string;
  readonly name: string;
  readonly children: ReactNode;
}): ReactNode {
  const words = useWords(SHELL_WORDS);
  const { session, may } = useSession();
  if (may(scope)) return children;
  const roles = session?.roles.map((role) => words.roles[role] ?? role).join(", ") ?? "";
  return (
    <Page title={name}>
      <Empty title={words.closed(roles)} action={<ButtonLink to="/">{words.home}</ButtonLink>}>
        {words.closedWhat}
      </Empty>
    </Page>
  );
}
