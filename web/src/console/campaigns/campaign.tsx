/** One campaign: what to do next, its plan, its simulation, how its money goes, and what it added. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useParams } from "react-router";
import { read, send } from "../client.ts";
import { Button, ButtonLink, Card, Confirm, Facts, Loaded, Page, Tabs, useToast, Wrong } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import "./campaigns.css";
import { type Campaign, State } from "./campaigns.tsx";
import { Pacing } from "./pacing.tsx";
import { Plan } from "./planned.tsx";
import { Missing, PostersOf } from "./posters.tsx";
import { Results } from "./results.tsx";
import { Simulation } from "./simulation.tsx";
import { CAMPAIGN_WORDS } from "./words.ts";

const MOVES = {
  approve: "/v1/campaigns/{campaign_id}/approve",
  launch: "/v1/campaigns/{campaign_id}/launch",
  pause: "/v1/campaigns/{campaign_id}/pause",
  resume: "/v1/campaigns/{campaign_id}/resume",
  end: "/v1/campaigns/{campaign_id}/end",
} as const;
type Move = keyof typeof MOVES;

function Next({ one }: { readonly one: Campaign }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const queries = useQueryClient();
  const tell = useToast();
  const act = useMutation({
    mutationFn: (move: Move) =>
      send("post", MOVES[move], {
        params: { path: { campaign_id: one.campaign_id }, header: { "if-match": `"campaign-${one.version}"` } },
      }),
    onSuccess: (now, move) => {
      queries.setQueryData(["campaign", one.campaign_id], now);
      void queries.invalidateQueries({ queryKey: ["campaigns"] });
      tell(words.done[move] ?? "");
    },
    onError: () => void queries.invalidateQueries({ queryKey: ["campaign", one.campaign_id] }),
  });
  const told = one.state === "draft" && !one.may_approve ? words.steps_.draftSecond : words.steps_[one.state];
  const button = (move: Move, kind: "main" | "plain"): ReactNode =>
    one.moves.includes(move) && (
      <Button kind={kind} isDisabled={act.isPending} onPress={() => act.mutate(move)}>
        {words[move]}
      </Button>
    );
  return (
    <Card title={words.nextStep} wide>
      <p>{told}</p>
      <Missing one={one} />
      <Wrong error={act.error} />
      <div className="row">
        {one.may_approve && button("approve", "main")}
        {button("launch", "main")}
        {button("resume", "main")}
        {button("pause", "plain")}
        {one.moves.includes("change") && (
          <ButtonLink to={`/campaigns/${one.campaign_id}/edit`}>{words.edit}</ButtonLink>
        )}
        {one.moves.includes("end") && (
          <Confirm
            opener={<Button kind="danger">{words.end}</Button>}
            title={words.endAsk}
            verb={words.end}
            onConfirm={() => act.mutate("end")}
          >
            {words.endAbout}
          </Confirm>
        )}
      </div>
    </Card>
  );
}

function History({ one }: { readonly one: Campaign }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { time } = useFormats();
  return (
    <Card title={words.history}>
      <Facts
        facts={[...one.history]
          .reverse()
          .map((line) => [time(line.at), `${words.whats[line.what] ?? line.what} · ${line.by}`] as const)}
      />
    </Card>
  );
}

function Shown({ one }: { readonly one: Campaign }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const before = one.state === "draft" || one.state === "approved";
  const plan = {
    id: "plan",
    name: words.plan,
    content: () => (
      <div className="grid">
        <Plan one={one} />
        <History one={one} />
      </div>
    ),
  };
  const simulation = { id: "simulation", name: words.simulation, content: () => <Simulation one={one} /> };
  const pacing = {
    id: "pacing",
    name: words.pacing,
    content: () => <Pacing campaign={one.campaign_id} state={one.state} />,
  };
  const results = { id: "results", name: words.results, content: () => <Results one={one} /> };
  const posters = { id: "posters", name: words.posters, content: () => <PostersOf one={one} /> };
  const parts = before ? [simulation, posters, plan] : [pacing, results, posters, simulation, plan];
  return (
    <div className="stack">
      <Next one={one} />
      <Tabs key={before ? "before" : "after"} label={words.parts} parts={parts} at={before ? "part" : "tab"} />
    </div>
  );
}

export default function CampaignPage(): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { campaign = "" } = useParams();
  const query = useQuery({
    queryKey: ["campaign", campaign],
    queryFn: () => read("/v1/campaigns/{campaign_id}", { params: { path: { campaign_id: campaign } } }),
    refetchInterval: 30_000,
  });
  return (
    <Page
      title={query.data?.name ?? words.title}
      back={<Link to="/campaigns">{words.back}</Link>}
      actions={query.data && <State state={query.data.state} />}
    >
      <Loaded query={query}>{(one) => <Shown one={one} />}</Loaded>
    </Page>
  );
}
