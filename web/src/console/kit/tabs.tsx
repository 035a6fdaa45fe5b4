/** Parts of a page, of which one is shown. Which one stands in the address. */
import type { ReactNode } from "react";
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from "react-aria-components";
import { useSearchParams } from "react-router";

export interface TabPart {
  readonly id: string;
  readonly name: string;
  readonly content: () => ReactNode;
}

export function Tabs({
  label,
  parts,
  at = "tab",
}: {
  readonly label: string;
  readonly parts: readonly TabPart[];
  readonly at?: string;
}): ReactNode {
  const [search, setSearch] = useSearchParams();
  const asked = search.get(at);
  const shown = parts.some((part) => part.id === asked) ? (asked ?? "") : (parts[0]?.id ?? "");
  const choose = (id: string): void =>
    setSearch(
      (was) => {
        was.set(at, id);
        return was;
      },
      { replace: true },
    );
  return (
    <AriaTabs className="tabs" selectedKey={shown} onSelectionChange={(key) => choose(String(key))}>
      <TabList aria-label={label}>
        {parts.map((part) => (
          <Tab key={part.id} id={part.id}>
            {part.name}
          </Tab>
        ))}
      </TabList>
      {parts.map((part) => (
        <TabPanel key={part.id} id={part.id}>
          {part.content()}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
