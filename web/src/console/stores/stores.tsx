/** Stores and kiosks: are the screens there, what do they show, and what may cameras do. */
import type { ReactNode } from "react";
import { Page, Tabs } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import { Cameras } from "./cameras.tsx";
import { AddKiosk, Fleet } from "./fleet.tsx";
import "./stores.css";
import { STORES_WORDS } from "./words.ts";

export default function StoresPage(): ReactNode {
  const words = useWords(STORES_WORDS);
  const { may } = useSession();
  const parts = [{ id: "fleet", name: words.fleet, content: () => <Fleet /> }];
  if (may("vision")) parts.push({ id: "cameras", name: words.cameras, content: () => <Cameras /> });
  return (
    <Page title={words.title} about={words.about} actions={<AddKiosk />}>
      <Tabs label={words.title} parts={parts} />
    </Page>
  );
}
