/** Whoever may talk with shoppers is there, and hears of those who wait, on every page of the console. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from "react";
import { useLocation, useNavigate } from "react-router";
import { type Answer, read } from "../client.ts";
import { useStream, useToast } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import { SHELL_WORDS } from "./words.ts";

export type Inbox = Answer<"/v1/agents/inbox", "get">;

interface Desk {
  /** How many shoppers wait. */
  readonly waiting: number;
  /** Whether what happens is heard at once. */
  readonly live: boolean;
  /** The conversation in which the shopper types now. */
  readonly typist: string | undefined;
  /** Whether the browser may tell of shoppers while the console is out of sight. */
  readonly notified: boolean;
  readonly notify: () => void;
}

const LOOK_AGAIN_MS = 15_000;
const TYPING_MS = 4_000;
const Current = createContext<Desk>({
  waiting: 0,
  live: false,
  typist: undefined,
  notified: false,
  notify: () => undefined,
});

export const useDesk = (): Desk => useContext(Current);
export const useInbox = (enabled = true) =>
  useQuery({
    queryKey: ["inbox"],
    queryFn: () => read("/v1/agents/inbox"),
    refetchInterval: LOOK_AGAIN_MS,
    enabled,
  });

function useTypists(): readonly [string | undefined, (data: string) => void] {
  const [typist, setTypist] = useState<string>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const hear = (data: string): void => {
    const { conversation_id: of, on } = JSON.parse(data) as { conversation_id: string; on: boolean };
    clearTimeout(timer.current);
    setTypist(on ? of : undefined);
    if (on) timer.current = setTimeout(() => setTypist(undefined), TYPING_MS);
  };
  return [typist, hear];
}

/** Tell of shoppers who have come: by the browser where the console is out of sight, beside the page where the inbox is. */
function useNotices(inbox: Inbox | undefined): readonly [boolean, () => void] {
  const words = useWords(SHELL_WORDS);
  const tell = useToast();
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const [allowed, setAllowed] = useState(() => "Notification" in window && Notification.permission === "granted");
  const known = useRef<ReadonlySet<string>>(undefined);
  useEffect(() => {
    if (!inbox) return;
    const waiting = inbox.waiting.map((card) => card.handoff_id);
    const came = known.current && waiting.some((handoff) => !known.current?.has(handoff));
    known.current = new Set(waiting);
    if (!came) return;
    const text = words.arrived(waiting.length);
    if (allowed && document.hidden) {
      const notice = new Notification(text, { tag: "inbox" });
      notice.onclick = () => {
        window.focus();
        void navigate("/inbox");
      };
    }
    if (!pathname.startsWith("/inbox"))
      tell({ text, action: { name: words.toInbox, act: () => void navigate("/inbox") } });
  }, [inbox, allowed, words, tell, navigate, pathname]);
  const ask = (): void => void Notification.requestPermission().then((answer) => setAllowed(answer === "granted"));
  return [allowed, ask];
}

/** Whether somebody counts as there for shoppers: an agent on every page, anybody else once they have opened the inbox. */
function useIsThere(agent: boolean): boolean {
  const { pathname } = useLocation();
  const inbox = pathname.startsWith("/inbox");
  const [opened, setOpened] = useState(inbox);
  useEffect(() => {
    if (inbox) setOpened(true);
  }, [inbox]);
  return agent || opened || inbox;
}

export function DeskProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const { may, session } = useSession();
  const mine = may("agents");
  const there = useIsThere(session?.roles.includes("agent") ?? false);
  const queries = useQueryClient();
  const { data } = useInbox(mine);
  const [typist, hearTyping] = useTypists();
  const live = useStream(mine && there ? "/v1/agents/stream" : null, ({ name, data: told }) => {
    if (name === "typing") hearTyping(told);
    else void queries.invalidateQueries({ queryKey: ["inbox"] });
  });
  const [notified, notify] = useNotices(data);
  const waiting = data?.waiting.length ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: asking is the same whenever it is made
  const value = useMemo<Desk>(() => ({ waiting, live, typist, notified, notify }), [waiting, live, typist, notified]);
  return <Current value={value}>{children}</Current>;
}
