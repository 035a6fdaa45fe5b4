/** The api as a page of the console meets it: answers by method and path, and what was asked. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { configure, fireEvent, screen } from "@testing-library/react";
import type { ReactNode } from "react";
import { Toasts } from "../../src/console/kit/index.ts";
import { SessionProvider } from "../../src/console/session.tsx";

configure({ asyncUtilTimeout: 10_000 }); // a busy machine is slow

/** To be put in place of the browser's fetch before the console's client is loaded, which takes it then. */
export const server = { answer: async (_: Request): Promise<Response> => Response.error() };

const SCOPES = ["members:write", "agents", "creatives", "experiments", "tuning", "campaigns", "accounts", "display"];
const SESSION = { account_id: "a", name: "Ada", scopes: SCOPES, currency: "EUR" };

/** What the api says to whoever was slower. */
export const changed = (by: string | null = null): object => ({ title: "Precondition Failed", status: 412, by });

type Answer = object | ((request: Request) => object | Promise<object>);

/** Let the api answer, by method and path; the list that is returned fills with what it is asked. */
export function api(answers: Readonly<Record<string, Answer>>, etag = '"newest"'): Request[] {
  const asked: Request[] = [];
  server.answer = async (request) => {
    asked.push(request.clone());
    const name = `${request.method} ${new URL(request.url).pathname}`;
    const given = name === "GET /v1/session" ? SESSION : (answers[name] ?? {});
    const body = typeof given === "function" ? await given(request) : given;
    const status = (body as { status?: unknown }).status;
    return typeof status === "number"
      ? Response.json(body, { status, headers: status === 412 ? { etag } : {} })
      : Response.json(body);
  };
  return asked;
}

export const fresh = (): QueryClient => new QueryClient({ defaultOptions: { queries: { retry: false } } });

export const page = (queries: QueryClient, content: ReactNode): ReactNode => (
  <QueryClientProvider client={queries}>
    <SessionProvider>
      <Toasts>{content}</Toasts>
    </SessionProvider>
  </QueryClientProvider>
);

/** What was to be changed, in order. */
export const written = (asked: readonly Request[], route: string): Request[] =>
  asked.filter(({ method, url }) => `${method} ${new URL(url).pathname}` === route);
export const tags = (asked: readonly Request[], route: string): (string | null)[] =>
  written(asked, route).map(({ headers }) => headers.get("if-match"));
/** Press a button; of several, the one in front. */
export const press = (name: string | RegExp): void => {
  fireEvent.click(screen.getAllByRole("button", { name }).at(-1) as HTMLElement);
};
