/** What turned dials would do: last week's figures, and what a few shoppers would see. */
import type { ReactNode } from "react";
import type { Answer } from "../client.ts";
import { Card, DataTable, Skeleton, Tag } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSegmentNames } from "../told/names.ts";
import { English } from "../told/told.tsx";
import { Moods } from "./moods.tsx";
import { TUNING_WORDS } from "./words.ts";

export type Preview = Answer<"/v1/tuning/preview", "post">;
type Metric = Preview["metrics"][number];
type Slate = Preview["members"][number]["before"];
const SHARES = new Set(["recall", "diversity", "with_coupon"]);

function Measures({ preview }: { readonly preview: Preview }): ReactNode {
  const words = useWords(TUNING_WORDS);
  const { number, share, money, signed, currency } = useFormats();
  const rows = [...preview.metrics, ...preview.coupons].filter((one) => one.before !== null && one.after !== null);
  const write = (one: Metric, value: number | null): string => {
    if (value === null) return "–";
    if (one.name.endsWith("_minor")) return money(value);
    return SHARES.has(one.name) ? share(value) : number(value, 3);
  };
  const cash = (one: Metric): string | undefined => (one.name.endsWith("_minor") ? currency : undefined);
  if (rows.length === 0) return null;
  return (
    <DataTable
      caption={words.measuresTitle}
      rows={rows}
      rowKey={(one) => one.name}
      csv="tuning-preview"
      columns={[
        {
          key: "name",
          title: words.measure,
          value: (one) => words.measures[one.name]?.[0] ?? one.name,
          cell: (one) => (
            <>
              {words.measures[one.name]?.[0] ?? one.name}
              <small className="help">{words.measures[one.name]?.[1]}</small>
            </>
          ),
        },
        {
          key: "before",
          title: words.now,
          value: (one) => one.before,
          cell: (one) => write(one, one.before),
          money: cash,
          numeric: true,
        },
        {
          key: "after",
          title: words.after,
          value: (one) => one.after,
          money: cash,
          cell: (one) => (
            <>
              {write(one, one.after)}
              <small className="help">
                {one.after === one.before
                  ? words.same
                  : signed((one.after ?? 0) / (one.before || 1) - 1, (value) => share(value))}
              </small>
            </>
          ),
          numeric: true,
        },
      ]}
    />
  );
}

function Shown({
  title,
  slate,
  other,
}: {
  readonly title: string;
  readonly slate: Slate;
  readonly other: Slate;
}): ReactNode {
  const words = useWords(TUNING_WORDS);
  const { money } = useFormats();
  const there = new Set(other.items.map((item) => item.product_id));
  return (
    <div>
      <h4>{title}</h4>
      <ol className="slate">
        {slate.items.map((item) => (
          <li key={item.product_id} className={there.has(item.product_id) ? "" : "fresh"}>
            <bdi>{item.name}</bdi>
          </li>
        ))}
      </ol>
      <p className="muted">
        {slate.coupon
          ? words.coupon(money(slate.coupon.discount.minor_units, slate.coupon.discount.currency))
          : words.noCoupon}
      </p>
    </div>
  );
}

export function Effect({
  preview,
  waiting,
}: {
  readonly preview: Preview | undefined;
  readonly waiting: boolean;
}): ReactNode {
  const words = useWords(TUNING_WORDS);
  const named = useSegmentNames();
  if (!preview && waiting)
    return (
      <Card title={words.effect}>
        <Skeleton lines={8} />
      </Card>
    );
  if (!preview) return <Card title={words.effect}>{<p className="muted">{words.nothing}</p>}</Card>;
  return (
    <Card title={words.effect}>
      <div className={waiting ? "stack waiting" : "stack"} aria-busy={waiting}>
        <p>
          <English>{preview.sentence}</English>
        </p>
        <Measures preview={preview} />
        <Moods preview={preview} />
        <h3>{words.samples}</h3>
        {preview.members.map((one) => (
          <details key={one.who} className="sample" open={one.changed}>
            <summary>
              {one.who}
              {one.segment && <span className="muted"> · {named(one.segment)}</span>}{" "}
              <Tag tone={one.changed ? "warn" : "plain"}>{one.changed ? words.differs : words.same}</Tag>
            </summary>
            <div className="sides">
              <Shown title={words.now} slate={one.before} other={one.after} />
              <Shown title={words.after} slate={one.after} other={one.before} />
            </div>
          </details>
        ))}
      </div>
    </Card>
  );
}
