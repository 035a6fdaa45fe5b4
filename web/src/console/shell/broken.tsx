/** A page that threw. */
import type { ReactNode } from "react";
import { Button } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { SHELL_WORDS } from "./words.ts";

export function Broken(): ReactNode {
  const words = useWords(SHELL_WORDS);
  return (
    <div className="trouble" role="alert">
      <div>
        <h1>{words.broke}</h1>
        <p>{words.brokeWhat}</p>
      </div>
      <Button onPress={() => location.reload()}>↻</Button>
    </div>
  );
}
