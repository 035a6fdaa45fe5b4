/** What every figure of the console means. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useLocation } from "react-router";
import { type Answer, read } from "../client.ts";
import { Facts, Loaded, Page, useHash } from "../kit/index.ts";
import { useLanguage, useWords } from "../language.tsx";
import { COUNTS, UNITS } from "../told/figures.ar.ts";
import { English } from "../told/told.tsx";
import "./today.css";
import { TODAY_WORDS } from "./words.ts";

type Definition = Answer<"/v1/figures/definitions", "get">["definitions"][number];

function One({ definition, asked }: { readonly definition: Definition; readonly asked: boolean }): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { language } = useLanguage();
  const { name, title, sentence, formula, sources, unit, csv } = definition;
  // Formulas name what they are computed from as the api does.
  const english = language === "en" ? {} : { lang: "en", dir: "ltr" };
  const counts = language === "ar" ? COUNTS[name] : undefined;
  return (
    <section
      id={name}
      className={asked ? "card asked" : "card"}
      aria-label={words.figures[name] ?? title}
      tabIndex={-1}
    >
      <h2>{words.figures[name] ?? title}</h2>
      <p>{counts ?? <English>{sentence}</English>}</p>
      <Facts
        facts={[
          [
            words.formula,
            <code key="formula" {...english}>
              {formula}
            </code>,
          ],
          [words.unit, (language === "ar" && UNITS[unit]) || <English key="unit">{unit}</English>],
          [
            words.sources,
            <code key="sources" {...english}>
              {sources.join(", ")}
            </code>,
          ],
        ]}
      />
      {csv !== null && (
        <p>
          <a href={csv} download aria-label={`${words.csv}: ${words.figures[name] ?? title}`}>
            {words.csv}
          </a>
        </p>
      )}
    </section>
  );
}

export default function DefinitionsPage(): ReactNode {
  const words = useWords(TODAY_WORDS);
  const { hash } = useLocation();
  const query = useQuery({ queryKey: ["definitions"], queryFn: () => read("/v1/figures/definitions") });
  useHash(query.data !== undefined);
  return (
    <Page title={words.defTitle} about={words.defAbout} back={<Link to="/today">{words.back}</Link>}>
      <Loaded query={query} lines={10}>
        {({ definitions }) => (
          <div className="grid">
            {definitions.map((one) => (
              <One key={one.name} definition={one} asked={hash === `#${one.name}`} />
            ))}
          </div>
        )}
      </Loaded>
    </Page>
  );
}
