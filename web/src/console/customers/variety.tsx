/** How varied a member's slates were, week by week, and where the next week is widened for it. */
import type { ReactNode } from "react";
import { Card, Facts, Tag } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import type { Member } from "./labels.tsx";
import { CUSTOMER_WORDS } from "./words.ts";

export function Variety({ member }: { readonly member: Member }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const { share, utcDay } = useFormats();
  if (!member.consented) {
    return null;
  }
  return (
    <Card title={words.variety}>
      {member.variety.length === 0 ? (
        <p className="muted">{words.varietyNone}</p>
      ) : (
        <Facts
          facts={member.variety.map((one) => [
            utcDay(new Date(`${one.week}T00:00:00Z`)),
            <>
              {words.varietyOf(share(one.diversity), share(one.novelty))}{" "}
              {one.widened && <Tag tone="warn">{words.widened}</Tag>}
            </>,
          ])}
        />
      )}
    </Card>
  );
}
