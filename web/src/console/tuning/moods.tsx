/** What the dials of moods would have done, counted in what was logged last week. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { read } from "../client.ts";
import { DataTable, Empty } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import type { Preview } from "./effect.tsx";
import { TUNING_WORDS } from "./words.ts";

type Mood = Preview["moods"][number];

/** Nobody wrote last week: what would be counted, and how there comes to be something. */
function NoMoods(): ReactNode {
  const words = useWords(TUNING_WORDS);
  const { data: ways } = useQuery({ queryKey: ["ways"], queryFn: () => read("/v1/session/ways") });
  const demo = ways !== undefined && ways.demo.length > 0;
  return (
    <Empty
      title={words.noMoods}
      action={
        demo && (
          <a className="button plain" href="/" target="_blank" rel="noreferrer">
            {words.writeYourself}
          </a>
        )
      }
    >
      {words.noMoodsWhat} {demo ? words.noMoodsDemo : words.noMoodsShop}
    </Empty>
  );
}

export function Moods({ preview }: { readonly preview: Preview }): ReactNode {
  const words = useWords(TUNING_WORDS);
  const { count, signed } = useFormats();
  const rows = preview.moods;
  const none = rows.every((one) => one.count === 0);
  const whole = (one: Mood, value: number | null): string => (one.count > 0 ? count(value ?? 0) : "–");
  return (
    <>
      <h3>{words.moodsTitle}</h3>
      {none ? (
        <NoMoods />
      ) : (
        <>
          <DataTable
            caption={words.moodsTitle}
            hideCaption
            rows={rows}
            rowKey={(one) => one.name}
            csv="tuning-moods"
            columns={[
              {
                key: "name",
                title: words.measure,
                value: (one) => words.moodMeasures[one.name]?.[0] ?? one.name,
                cell: (one) => (
                  <>
                    {words.moodMeasures[one.name]?.[0] ?? one.name}
                    <small className="help">
                      {one.count > 0 ? words.moodMeasures[one.name]?.[1](count(one.count)) : words.uncounted}
                    </small>
                  </>
                ),
              },
              {
                key: "before",
                title: words.now,
                value: (one) => one.before,
                cell: (one) => whole(one, one.before),
                numeric: true,
              },
              {
                key: "after",
                title: words.after,
                value: (one) => one.after,
                cell: (one) => (
                  <>
                    {whole(one, one.after)}
                    {one.count > 0 && (
                      <small className="help">
                        {one.after === one.before ? words.same : signed((one.after ?? 0) - (one.before ?? 0), count)}
                      </small>
                    )}
                  </>
                ),
                numeric: true,
              },
            ]}
          />
          <p className="help">{words.moodsHonest}</p>
        </>
      )}
    </>
  );
}
