/** The posters of a campaign: chosen in the editor, and how they stand and do on its page. */
import { useIsMutating, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { type Answer, read, readAll, send } from "../client.ts";
import { Button, ButtonLink, Card, Choice, DataTable, Empty, Loaded, Tag, type Tone, useFailed } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import type { Campaign } from "./campaigns.tsx";
import type { Product } from "./draft.ts";
import { ProductSearch } from "./product-search.tsx";
import type { StepProps } from "./steps.tsx";
import { CAMPAIGN_WORDS } from "./words.ts";

type Told = Answer<"/v1/campaigns/{campaign_id}/creatives", "get">;
type Line = Told["creatives"][number];
const DRAWN_AT_ONCE = 6;
const DRAWING = ["draw-posters"];
const TONES: Record<Line["state"], Tone> = {
  own: "plain",
  held: "warn",
  ready: "good",
  running: "good",
  ended: "plain",
};
export const galleryOf = (id: string): string => `/creatives?campaign=${encodeURIComponent(id)}`;

/** Draws a few posters for a campaign of posters; they wait for somebody to approve them. */
export function useDrawing() {
  const queries = useQueryClient();
  const { session } = useSession();
  return useMutation({
    mutationKey: DRAWING,
    mutationFn: (id: string) =>
      send("post", "/v1/creative-campaigns/{campaign_id}/designs", {
        params: { path: { campaign_id: id } },
        body: { count: DRAWN_AT_ONCE, seed: 0, by: session?.name ?? "" },
      }),
    onError: useFailed(),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ["campaign-posters"] });
      void queries.invalidateQueries({ queryKey: ["creative-campaigns"] });
    },
  });
}

function Chosen({
  name,
  about,
  drop,
}: {
  readonly name: string;
  readonly about: string;
  readonly drop: () => void;
}): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  return (
    <li className="chosen">
      <span>
        <bdi>{name}</bdi>
        <small className="help">{about}</small>
      </span>
      <Button kind="quiet" aria-label={words.dropPosters(name)} onPress={drop}>
        ×
      </Button>
    </li>
  );
}

/** The editor's step: posters that there are, and products that posters are drawn for. */
export function Posters({ draft, set, wrong }: StepProps): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { may } = useSession();
  const there = useQuery({
    queryKey: ["creative-campaigns"],
    queryFn: () => readAll("/v1/creative-campaigns", "campaigns"),
    enabled: may("creatives"),
  });
  const free = (there.data?.campaigns ?? []).filter((one) => !draft.posters.includes(one.campaign_id));
  const without = <T,>(list: readonly T[], one: T): T[] => list.filter((other) => other !== one);
  const take = (product: Product): void => {
    const others = draft.drawFor.filter((one) => one.product_id !== product.product_id);
    set({ drawFor: [...others, product] });
  };
  const trouble = wrong.posters_for ?? wrong.creative_campaign_ids;
  return (
    <>
      <p className="ask">{words.askPosters}</p>
      <p className="help">{words.postersHelp}</p>
      {draft.posters.length + draft.drawFor.length > 0 && (
        <ul className="stack" aria-label={words.posters}>
          {draft.posters.map((id) => (
            <Chosen
              key={id}
              name={id}
              about={words.thereAlready}
              drop={() => set({ posters: without(draft.posters, id) })}
            />
          ))}
          {draft.drawFor.map((one) => (
            <Chosen
              key={one.product_id}
              name={one.name}
              about={words.willBeDrawn(DRAWN_AT_ONCE)}
              drop={() => set({ drawFor: without(draft.drawFor, one) })}
            />
          ))}
        </ul>
      )}
      {trouble && (
        <p className="react-aria-FieldError" role="alert">
          {trouble}
        </p>
      )}
      <ProductSearch label={words.findProduct} take={take} />
      {free.length > 0 && (
        <Choice
          label={words.takePosters}
          value={null}
          placeholder={words.noPosters}
          onChange={(id) => set({ posters: [...draft.posters, id] })}
          options={free.map((one) => ({ id: one.campaign_id, name: one.campaign_id, about: words.placed(one.placed) }))}
        />
      )}
    </>
  );
}

export function usePosters(one: Campaign) {
  return useQuery({
    queryKey: ["campaign-posters", one.campaign_id, one.version],
    queryFn: () =>
      read("/v1/campaigns/{campaign_id}/creatives", { params: { path: { campaign_id: one.campaign_id } } }),
    enabled: one.creative_campaign_ids.length > 0,
  });
}

/** What is missing of the posters before they can be shown, with the way there; nothing where nothing is missing. */
export function Missing({ one }: { readonly one: Campaign }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { may } = useSession();
  const drawing = useIsMutating({ mutationKey: DRAWING }) > 0;
  const { data } = usePosters(one);
  const lacking = data?.creatives.filter((line) => line.missing !== null) ?? [];
  if (!data || data.creatives.length === 0 || one.state === "ended") return null;
  const before = one.state === "draft" || one.state === "approved";
  if (lacking.length === 0)
    return before ? <p className="muted">{words.postersReady(data.approved, data.proposed)}</p> : null;
  return (
    <ul className="lacking" aria-label={words.posters}>
      {lacking.map((line) => (
        <li key={line.creative_campaign_id}>
          <Tag tone="warn">{words.posters}</Tag>{" "}
          {drawing && line.missing === "drawing"
            ? words.drawingNow
            : words.missing(line.product ?? line.product_id, line.proposed, line.taken_by ?? "")[
                line.missing ?? ""
              ]}{" "}
          {may("creatives") && line.missing === "approval" && (
            <Link to={galleryOf(line.creative_campaign_id)}>{words.approvePosters}</Link>
          )}
        </li>
      ))}
    </ul>
  );
}

function Draw({ line }: { readonly line: Line }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const drawing = useDrawing();
  const busy = useIsMutating({ mutationKey: DRAWING }) > 0;
  return (
    <Button isDisabled={busy} onPress={() => drawing.mutate(line.creative_campaign_id)}>
      {busy ? words.drawingNow : words.drawPosters}
    </Button>
  );
}

function Table({ told }: { readonly told: Told }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const { count, share } = useFormats();
  const { may } = useSession();
  const rate = (line: Line): string =>
    line.rate === null || line.rate_low === null || line.rate_high === null
      ? "–"
      : `${share(line.rate)} (${words.between(share(line.rate_low), share(line.rate_high))})`;
  const act = (line: Line): ReactNode => {
    if (!may("creatives")) return null;
    if (line.missing === "drawing") return <Draw line={line} />;
    return (
      <ButtonLink to={galleryOf(line.creative_campaign_id)}>
        {line.missing === "approval" ? words.approvePosters : words.seePosters}
      </ButtonLink>
    );
  };
  return (
    <DataTable
      caption={words.postersDo}
      hideCaption
      rows={told.creatives}
      rowKey={(line) => line.creative_campaign_id}
      csv="posters"
      columns={[
        {
          key: "product",
          title: words.product,
          value: (line) => line.product ?? line.product_id,
          cell: (line) => <bdi>{line.product ?? line.product_id}</bdi>,
        },
        {
          key: "state",
          title: words.state,
          value: (line) => line.state,
          cell: (line) => <Tag tone={TONES[line.state]}>{words.posterStates[line.state]}</Tag>,
        },
        {
          key: "approved",
          title: words.postersApproved,
          value: (line) => line.approved,
          cell: (line) => words.ofAll(count(line.approved), count(line.approved + line.proposed)),
          numeric: true,
        },
        {
          key: "shown",
          title: words.views,
          value: (line) => line.shown,
          cell: (line) => count(line.shown),
          numeric: true,
        },
        { key: "rate", title: words.clickRate, value: (line) => line.rate, cell: rate, numeric: true },
        {
          key: "converted",
          title: words.bought,
          value: (line) => line.converted,
          cell: (line) => count(line.converted),
          numeric: true,
        },
        { key: "act", title: "", cell: act },
      ]}
    />
  );
}

/** The part of a campaign's page. */
export function PostersOf({ one }: { readonly one: Campaign }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const query = usePosters(one);
  if (one.creative_campaign_ids.length === 0)
    return (
      <Empty
        title={words.noPostersYet}
        action={
          one.moves.includes("change") && (
            <ButtonLink to={`/campaigns/${one.campaign_id}/edit`}>{words.choosePosters}</ButtonLink>
          )
        }
      >
        {words.noPostersAbout}
      </Empty>
    );
  return (
    <Card title={words.postersDo} about={words.postersDoAbout} wide>
      <Loaded query={query}>{(told) => <Table told={told} />}</Loaded>
    </Card>
  );
}
