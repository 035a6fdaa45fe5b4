/** Creatives: the gallery with its approvals, how variants do, side by side, and the brand kit. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useSearchParams } from "react-router";
import { type Answer, readAll } from "../client.ts";
import { Choice, Empty, Loaded, Page, Tabs, Tag } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { Brand } from "./brand.tsx";
import "./creatives.css";
import { Gallery } from "./gallery.tsx";
import { Performance } from "./performance.tsx";
import { Start } from "./start.tsx";
import { CREATIVES_WORDS } from "./words.ts";

export type Campaign = Answer<"/v1/creative-campaigns", "get">["campaigns"][number];

function Of({
  campaigns,
  content,
}: {
  readonly campaigns: readonly Campaign[];
  readonly content: (campaign: Campaign) => ReactNode;
}): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const { count } = useFormats();
  const [search, setSearch] = useSearchParams();
  const chosen = search.get("campaign");
  const newest = [...campaigns].sort((one, other) => other.starts_at.localeCompare(one.starts_at));
  const campaign = newest.find((one) => one.campaign_id === chosen) ?? newest[0];
  if (!campaign)
    return (
      <Empty title={words.noCampaigns} action={<Start />}>
        {words.noCampaignsWhat}
      </Empty>
    );
  const choose = (id: string): void =>
    setSearch(
      (was) => {
        was.set("campaign", id);
        return was;
      },
      { replace: true },
    );
  return (
    <div className="stack">
      <div className="pick-campaign">
        <Choice
          label={words.campaign}
          value={campaign.campaign_id}
          onChange={choose}
          options={newest.map((one) => ({ id: one.campaign_id, name: one.campaign_id }))}
        />
        <p className="muted">
          {words.about1(campaign.product_id, count(campaign.placed))}{" "}
          {words.approvals[campaign.approval] ?? campaign.approval}.
        </p>
        {campaign.owner && (
          <p>
            {campaign.held && <Tag tone="warn">{words.held}</Tag>} {words.owned}{" "}
            <Link to={`/campaigns/${campaign.owner}`}>{words.openCampaign}</Link>
          </p>
        )}
      </div>
      {content(campaign)}
    </div>
  );
}

export default function CreativesPage(): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const query = useQuery({
    queryKey: ["creative-campaigns"],
    queryFn: () => readAll("/v1/creative-campaigns", "campaigns"),
  });
  const of = (content: (campaign: Campaign) => ReactNode) => (): ReactNode => (
    <Loaded query={query} lines={8}>
      {({ campaigns }) => <Of campaigns={campaigns} content={content} />}
    </Loaded>
  );
  const parts = [
    {
      id: "gallery",
      name: words.queue,
      content: of((campaign) => <Gallery key={campaign.campaign_id} campaign={campaign} />),
    },
    { id: "performance", name: words.performance, content: of((campaign) => <Performance campaign={campaign} />) },
    { id: "brand", name: words.brand, content: () => <Brand /> },
  ];
  return (
    <Page title={words.title} about={words.about} actions={<Start />}>
      <Tabs label={words.title} parts={parts} />
    </Page>
  );
}
