/** The application: who is signed in, the frame, and the page of the address. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { RouterProvider as AriaRouter } from "react-aria-components";
import { createBrowserRouter, Navigate, Outlet, RouterProvider, useHref, useNavigate } from "react-router";
import { ApiError } from "../api/http.ts";
import { Skeleton, Toasts, Trouble } from "./kit/index.ts";
import { LanguageProvider, useWords } from "./language.tsx";
import { LINKED, SECTIONS, type Section } from "./sections.ts";
import { SessionProvider, useSession } from "./session.tsx";
import { Broken } from "./shell/broken.tsx";
import { Frame } from "./shell/frame.tsx";
import { Gate } from "./shell/gate.tsx";
import { Nowhere } from "./shell/nowhere.tsx";
import { SignIn } from "./shell/sign-in.tsx";
import { invitation, Welcome } from "./shell/welcome.tsx";
import { SHELL_WORDS } from "./shell/words.ts";

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      retry: (count, error) => count < 2 && !(error instanceof ApiError && !error.passing),
    },
  },
});

/** Lets the parts of the component library follow links by the router. */
function Linked(): ReactNode {
  const navigate = useNavigate();
  return (
    <AriaRouter navigate={(path) => void navigate(path)} useHref={useHref}>
      <Frame>
        <Outlet />
      </Frame>
    </AriaRouter>
  );
}

function Behind({ section, children }: { readonly section: Section; readonly children: ReactNode }): ReactNode {
  const words = useWords(SHELL_WORDS);
  return (
    <Gate scope={section.scope} name={words.nav[section.id]}>
      {children}
    </Gate>
  );
}

function First(): ReactNode {
  const { may } = useSession();
  const first = SECTIONS.find((section) => may(section.scope));
  return first ? <Navigate to={`/${first.id}`} replace /> : <Nowhere />;
}

const router = createBrowserRouter(
  [
    {
      element: <Linked />,
      errorElement: <Broken />,
      children: [
        { index: true, element: <First /> },
        ...SECTIONS.flatMap((section) =>
          Object.entries(section.pages).map(([path, Content]) => ({
            path: `${section.id}/${path}`,
            element: (
              <Behind section={section}>
                <Content />
              </Behind>
            ),
            errorElement: <Broken />,
          })),
        ),
        ...Object.entries(LINKED).map(([path, Content]) => ({ path, element: <Content />, errorElement: <Broken /> })),
        { path: "*", element: <Nowhere /> },
      ],
    },
  ],
  { basename: "/console" },
);

function Door(): ReactNode {
  const { session, trouble, waiting, look } = useSession();
  const code = invitation();
  if (code) return <Welcome code={code} />;
  if (session) return <RouterProvider router={router} />;
  if (waiting) return <Skeleton />;
  if (trouble) return <Trouble error={trouble} again={() => void look()} />;
  return <SignIn />;
}

export function App(): ReactNode {
  return (
    <QueryClientProvider client={queries}>
      <SessionProvider>
        <LanguageProvider>
          <Toasts>
            <Door />
          </Toasts>
        </LanguageProvider>
      </SessionProvider>
    </QueryClientProvider>
  );
}
