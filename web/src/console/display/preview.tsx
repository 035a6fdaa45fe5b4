/** A made visit as the kiosk would have shown it: modes as bars, and below them how the face looked, with the thresholds that are set now. */
import { type ReactNode, useId } from "react";
import { DataTable, Skeleton } from "../kit/index.ts";
import { useFormats, useLanguage, useWords } from "../language.tsx";
import { English } from "../told/told.tsx";
import { type Preview as Played, type Values, valueAt } from "./values.ts";
import { DISPLAY_WORDS } from "./words.ts";

const WIDE = 1000;
const BAR = 56;
const FACE = 150;
const LETTER = 11;

function Timeline({ shown, values }: { readonly shown: Played; readonly values: Values }): ReactNode {
  const words = useWords(DISPLAY_WORDS);
  const { number } = useFormats();
  const end = shown.screens.at(-1)?.until || 1;
  const x = (at: number): number => (at / end) * WIDE;
  const y = (valence: number): number => BAR + 34 + ((1 - valence) / 2) * FACE;
  const nameOf = (mode: string): string => words.modes[mode] ?? mode;
  const told = shown.screens.map((one) => `${nameOf(one.mode)} ${words.seconds(number(one.since))}`).join(", ");
  return (
    <svg
      className="timeline"
      viewBox={`0 0 ${WIDE} ${BAR + 44 + FACE}`}
      role="img"
      data-testid="display-timeline"
      aria-label={told}
      direction="ltr"
    >
      {shown.screens.map((one) => {
        const width = Math.max(1.5, x(one.until) - x(one.since) - 2);
        const name = nameOf(one.mode);
        return (
          <g key={one.since} className={`bar ${one.mode}`}>
            <rect x={x(one.since)} y={0} width={width} height={BAR} rx={6} />
            {width > name.length * LETTER + 12 && (
              <text x={x(one.since) + 10} y={35}>
                {name}
              </text>
            )}
          </g>
        );
      })}
      {shown.happened
        .map(([moment]) => Number(moment))
        .map((at) => (
          <line key={at} className="mark" x1={x(at)} x2={x(at)} y1={BAR + 4} y2={BAR + 34 + FACE} />
        ))}
      <g className="face">
        {shown.valences.map(([at = 0, valence = 0]) => (
          <circle key={at} cx={x(at)} cy={y(valence)} r={2.2} />
        ))}
      </g>
      {Object.entries(words.bounds).map(([place, name], index) => {
        const at = y(valueAt(values, place));
        // At both ends by turns: they may lie close to each other.
        const last = index % 2 === 0;
        return (
          <g key={place}>
            <line className="bound" x1={0} x2={WIDE} y1={at} y2={at} />
            <text className="small" x={last ? WIDE - 4 : 4} y={at - 4} textAnchor={last ? "end" : "start"}>
              {name}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

interface PreviewProps {
  readonly visits: readonly string[];
  readonly visit: string;
  readonly choose: (visit: string) => void;
  readonly shown: Played | undefined;
  readonly values: Values;
  /** The values that are set do not go together: what is shown is of the last that did. */
  readonly stale: boolean;
}

export function Preview({ visits, visit, choose, shown, values, stale }: PreviewProps): ReactNode {
  const words = useWords(DISPLAY_WORDS);
  const { number } = useFormats();
  const { language } = useLanguage();
  const english = language === "en" ? {} : { lang: "en", dir: "ltr" };
  const id = useId();
  const at = (seconds: number): string => words.seconds(number(seconds));
  return (
    <>
      <div className="field">
        <label htmlFor={id}>{words.visit}</label>
        <select id={id} data-testid="display-visit" value={visit} onChange={(event) => choose(event.target.value)}>
          {visits.map((name) => (
            <option key={name} {...english}>
              {name}
            </option>
          ))}
        </select>
      </div>
      {shown ? (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard (WCAG 2.1.1) */}
          <section className={stale ? "scroll stale" : "scroll"} aria-label={words.preview} tabIndex={0}>
            <Timeline shown={shown} values={values} />
          </section>
          <p className="muted">{words.look}</p>
          <p role="status" data-testid="display-flickers">
            <strong className={shown.flickers > 0 ? "some" : ""}>
              {shown.flickers > 0 ? words.flickers(shown.flickers) : words.steady}
            </strong>{" "}
            <span className="muted">{stale ? words.stale : words.flickerAbout}</span>
          </p>
          <details>
            <summary>{words.screens}</summary>
            <DataTable
              caption={words.screens}
              hideCaption
              csv="screens"
              rows={shown.screens}
              rowKey={(one) => String(one.since)}
              columns={[
                {
                  key: "since",
                  title: words.from,
                  value: (one) => one.since,
                  cell: (one) => at(one.since),
                  numeric: true,
                },
                {
                  key: "until",
                  title: words.to,
                  value: (one) => one.until,
                  cell: (one) => at(one.until),
                  numeric: true,
                },
                { key: "mode", title: words.screen, value: (one) => words.modes[one.mode] ?? one.mode },
                { key: "why", title: words.why, value: (one) => one.why, cell: (one) => <English>{one.why}</English> },
              ]}
            />
          </details>
        </>
      ) : (
        <Skeleton lines={6} />
      )}
    </>
  );
}
