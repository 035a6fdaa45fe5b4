/** Who is signed in, and what they may do. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo } from "react";
import { ApiError } from "../api/http.ts";
import { type Answer, onSignedOut, read, send } from "./client.ts";

export type Session = Answer<"/v1/session", "get">;

interface Signed {
  readonly session: Session | undefined;
  /** Why it is not known whether somebody is signed in. */
  readonly trouble: Error | undefined;
  readonly waiting: boolean;
  readonly may: (scope: string) => boolean;
  /** Look again who is signed in. */
  readonly look: () => Promise<void>;
  readonly leave: () => Promise<void>;
}

const Current = createContext<Signed | undefined>(undefined);
const KEY = ["session"];

/** What is kept of others than who is signed in: the next person at this browser is to see none of it. */
function others({ queryKey }: { readonly queryKey: readonly unknown[] }): boolean {
  return queryKey[0] !== KEY[0];
}

export function SessionProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const queries = useQueryClient();
  const { data, error, isPending } = useQuery({
    queryKey: KEY,
    staleTime: Number.POSITIVE_INFINITY,
    retry: (count, why) => count < 3 && !(why instanceof ApiError && why.status === 401),
    queryFn: async () => {
      const found = await read("/v1/session").catch((why: unknown) => {
        if (why instanceof ApiError && why.status === 401) return null;
        throw why;
      });
      const before = queries.getQueryData<Session | null>(KEY);
      if (before && before.account_id !== found?.account_id) {
        queries.removeQueries({ predicate: others, type: "inactive" });
        if (found) void queries.resetQueries({ predicate: others, type: "active" });
      }
      return found;
    },
  });
  const leftBehind = useCallback(() => {
    queries.setQueryData(KEY, null); // first, so that the door is shown: who looks at a query is not told of its removal
    queries.removeQueries({ predicate: others });
  }, [queries]);
  useEffect(() => {
    onSignedOut(() => {
      if (queries.getQueryData(KEY)) leftBehind();
    });
  }, [queries, leftBehind]);
  const session = data ?? undefined;
  const value = useMemo<Signed>(
    () => ({
      session,
      trouble: error ?? undefined,
      waiting: isPending,
      may: (scope) => session?.scopes.includes(scope) ?? false,
      look: () => queries.invalidateQueries({ queryKey: KEY }),
      leave: async () => {
        await send("delete", "/v1/session");
        leftBehind();
      },
    }),
    [session, error, isPending, queries, leftBehind],
  );
  return <Current value={value}>{children}</Current>;
}

export function useSession(): Signed {
  const found = useContext(Current);
  if (!found) throw new Error("There is no SessionProvider around this.");
  return found;
}
