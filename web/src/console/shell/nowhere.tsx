/** An address without a page. */
import type { ReactNode } from "react";
import { ButtonLink, Empty, Page } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { SHELL_WORDS } from "./words.ts";

export function Nowhere(): ReactNode {
  const words = useWords(SHELL_WORDS);
  return (
    <Page title={words.nowhere}>
      <Empty title={words.nowhere} action={<ButtonLink to="/">{words.home}</ButtonLink>}>
        {words.nowhereWhat}
      </Empty>
    </Page>
  );
}
