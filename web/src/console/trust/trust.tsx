/** Trust: fairness, the audit log, consents, deletions, models. */
import type { ReactNode } from "react";
import { Page, Tabs } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { Consents } from "./consents.tsx";
import { Fairness } from "./fairness.tsx";
import { Jobs } from "./jobs.tsx";
import { Log } from "./log.tsx";
import { Models } from "./models.tsx";
import "./trust.css";
import { Variety } from "./variety.tsx";
import { TRUST_WORDS } from "./words.ts";

export default function TrustPage(): ReactNode {
  const words = useWords(TRUST_WORDS);
  return (
    <Page title={words.title} about={words.about}>
      <Tabs
        label={words.title}
        parts={[
          { id: "fairness", name: words.fairness, content: () => <Fairness /> },
          { id: "variety", name: words.variety, content: () => <Variety /> },
          { id: "log", name: words.log, content: () => <Log /> },
          { id: "consents", name: words.consents, content: () => <Consents /> },
          { id: "jobs", name: words.jobs, content: () => <Jobs /> },
          { id: "models", name: words.models, content: () => <Models /> },
        ]}
      />
    </Page>
  );
}
