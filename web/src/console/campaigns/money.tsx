/** How a running campaign's money goes, also of one that was imported and has no plan here. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useParams } from "react-router";
import { read } from "../client.ts";
import { ButtonLink, Loaded, Page } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { Pacing } from "./pacing.tsx";
import { CAMPAIGN_WORDS } from "./words.ts";

export default function MoneyPage(): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { campaign = "" } = useParams();
  const query = useQuery({
    queryKey: ["pacing", campaign, ""],
    queryFn: () => read("/v1/campaigns/{campaign_id}/pacing", { params: { path: { campaign_id: campaign } } }),
  });
  const { data } = query;
  return (
    <Page
      title={data?.name ?? words.title}
      about={data && !data.drafted ? words.imported : words.moneyAbout}
      actions={data?.drafted && <ButtonLink to={`/campaigns/${campaign}`}>{words.openPlan}</ButtonLink>}
    >
      <Loaded query={query}>{() => <Pacing campaign={campaign} />}</Loaded>
    </Page>
  );
}
