/** What is around every page: the menu of sections, who is signed in, language and colours. */
import { type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { Button as AriaButton, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover } from "react-aria-components";
import { NavLink, useLocation } from "react-router";
import { Button, Skeleton } from "../kit/index.ts";
import { LANGUAGES, useLanguage, useWords } from "../language.tsx";
import { SECTIONS } from "../sections.ts";
import { useSession } from "../session.tsx";
import { DeskProvider, useDesk } from "./desk.tsx";
import { THEMES, type Theme, useTheme } from "./theme.ts";
import { SHELL_WORDS } from "./words.ts";

function Sections({ chosen }: { readonly chosen: () => void }): ReactNode {
  const words = useWords(SHELL_WORDS);
  const { may } = useSession();
  const { waiting } = useDesk();
  return (
    <nav aria-label={words.sections}>
      <ul>
        {SECTIONS.filter((section) => may(section.scope)).map(({ id }) => (
          <li key={id}>
            <NavLink to={`/${id}`} onClick={chosen}>
              {words.nav[id]}
              {id === "inbox" && waiting > 0 && (
                <>
                  {" "}
                  <span className="tag warn">
                    {waiting}
                    <span className="unseen"> {words.wait}</span>
                  </span>
                </>
              )}
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Account(): ReactNode {
  const words = useWords(SHELL_WORDS);
  const { session, leave } = useSession();
  const { language, speak } = useLanguage();
  const [theme, choose] = useTheme();
  const roles = session?.roles.map((role) => words.roles[role] ?? role).join(", ");
  return (
    <MenuTrigger>
      <AriaButton className="button quiet who">
        <span className="unseen">{words.account}: </span>
        <span>{session?.name}</span>
        <span aria-hidden="true">▾</span>
      </AriaButton>
      <Popover className="popover">
        <Menu
          onAction={(key) => {
            const [what, value] = String(key).split(":");
            if (what === "leave") void leave();
            if (what === "speak") speak(value as "en" | "ar");
            if (what === "theme") choose(value as Theme);
          }}
        >
          <MenuSection>
            <Header className="muted">
              {session?.email} · {roles}
            </Header>
          </MenuSection>
          <MenuSection selectionMode="single" selectedKeys={[`speak:${language}`]}>
            <Header className="muted">{words.language}</Header>
            {LANGUAGES.map(({ id, name }) => (
              <MenuItem key={id} id={`speak:${id}`} className="option" lang={id}>
                {name}
              </MenuItem>
            ))}
          </MenuSection>
          <MenuSection selectionMode="single" selectedKeys={[`theme:${theme}`]}>
            <Header className="muted">{words.theme}</Header>
            {THEMES.map((one) => (
              <MenuItem key={one} id={`theme:${one}`} className="option">
                {words[one]}
              </MenuItem>
            ))}
          </MenuSection>
          <MenuItem id="account:" className="option" href="/account">
            {words.account}
          </MenuItem>
          <MenuItem id="leave:" className="option">
            {words.leave}
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

/** After a change of page the focus is on its title, where a screen reader goes on, or on the part that the address names (useHash). */
function useFocusOnTitle(main: React.RefObject<HTMLElement | null>): void {
  const { pathname, hash } = useLocation();
  const first = useRef(pathname);
  useEffect(() => {
    if (first.current === pathname) return;
    first.current = pathname;
    if (hash) return;
    main.current?.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }, [pathname, hash, main]);
}

export function Frame({ children }: { readonly children: ReactNode }): ReactNode {
  const words = useWords(SHELL_WORDS);
  const { session } = useSession();
  const [open, setOpen] = useState(false);
  const main = useRef<HTMLElement>(null);
  useFocusOnTitle(main);
  return (
    <DeskProvider>
      <div className={open ? "frame open" : "frame"}>
        <a className="skip" href="#page">
          {words.skip}
        </a>
        <header className="bar">
          <span className="menu">
            <Button
              kind="quiet"
              aria-label={words.menu}
              aria-expanded={open}
              aria-controls="sections"
              onPress={() => setOpen(!open)}
            >
              ☰
            </Button>
          </span>
          <p className="shop">{session?.retailer}</p>
          <Account />
        </header>
        <div id="sections" className="side">
          <Sections chosen={() => setOpen(false)} />
        </div>
        <main id="page" ref={main} tabIndex={-1}>
          <Suspense fallback={<Skeleton lines={6} />}>{children}</Suspense>
        </main>
      </div>
    </DeskProvider>
  );
}
