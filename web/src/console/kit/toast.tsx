/** Short notices of what was done, with a way back where there is one. They stay until they are read or closed. */
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import { useWords } from "../language.tsx";
import { Button } from "./button.tsx";
import { KIT_WORDS } from "./words.ts";

interface Notice {
  readonly text: string;
  readonly tone?: "plain" | "bad";
  readonly action?: { readonly name: string; readonly act: () => void };
}

const Current = createContext<(notice: Notice | string) => void>(() => undefined);
const SHOWN_MS = 8000;

/** Tell something: `const tell = useToast(); tell("Saved.")`. Of errors tells `useFailed`. */
export const useToast = (): ((notice: Notice | string) => void) => useContext(Current);

export function Toasts({ children }: { readonly children: ReactNode }): ReactNode {
  const words = useWords(KIT_WORDS);
  const [notices, setNotices] = useState<readonly (Notice & { readonly id: number })[]>([]);
  const count = useRef(0);
  const close = useCallback((id: number) => setNotices((was) => was.filter((notice) => notice.id !== id)), []);
  const tell = useCallback(
    (given: Notice | string) => {
      const notice = typeof given === "string" ? { text: given } : given;
      count.current += 1;
      const id = count.current;
      setNotices((was) => [...was.slice(-2), { ...notice, id }]);
      // What went wrong or can be taken back waits for a hand; the rest goes by itself.
      if (notice.tone !== "bad" && !notice.action) setTimeout(() => close(id), SHOWN_MS);
    },
    [close],
  );
  return (
    <Current value={useMemo(() => tell, [tell])}>
      {children}
      <section className="toasts" aria-label={words.notices} aria-live="polite">
        {notices.map(({ id, text, tone, action }) => (
          <div key={id} className={`toast ${tone ?? "plain"}`}>
            <p>{text}</p>
            {action && (
              <Button
                kind="quiet"
                onPress={() => {
                  close(id);
                  action.act();
                }}
              >
                {action.name}
              </Button>
            )}
            <Button kind="quiet" aria-label={words.close} onPress={() => close(id)}>
              ×
            </Button>
          </div>
        ))}
      </section>
    </Current>
  );
}
