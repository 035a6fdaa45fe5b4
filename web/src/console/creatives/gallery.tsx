/** The gallery: what waits for a person, what runs, and who decided what. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { send } from "../client.ts";
import { Button, Card, Check, Choice, DataTable, Empty, Loaded, useFailed } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { useSession } from "../session.tsx";
import type { Campaign } from "./creatives.tsx";
import { type Decision, decide, readGallery, type Step, type Variant } from "./decide.ts";
import { CREATIVES_WORDS } from "./words.ts";

type Decide = (subject: string, state: Decision, ofFamily: boolean) => void;
const DRAWN_AT_ONCE = 12;
const MOST_COMPARED = 4;

/** How previews are shown: on a chat's card or a kiosk's page, in a language that posters have texts in. */
interface View {
  readonly aspect: "1:1" | "kiosk";
  readonly language: "en" | "ar";
}

const HEIGHTS = { "1:1": 1, kiosk: 1920 / 1080 };

const previewOf = (campaign: string, variant: string, view: View): string =>
  `/v1/creative-campaigns/${encodeURIComponent(campaign)}/variants/${encodeURIComponent(variant)}/preview?${new URLSearchParams({ ...view })}`;

export function Views({ view, change }: { readonly view: View; readonly change: (view: View) => void }): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  return (
    <div className="row">
      <Choice
        label={words.shownAs}
        value={view.aspect}
        onChange={(aspect) => change({ ...view, aspect: aspect === "kiosk" ? "kiosk" : "1:1" })}
        options={[
          { id: "1:1", name: words.card },
          { id: "kiosk", name: words.kiosk },
        ]}
      />
      <Choice
        label={words.shownIn}
        value={view.language}
        onChange={(language) => change({ ...view, language: language === "ar" ? "ar" : "en" })}
        options={[
          { id: "en", name: "English" },
          { id: "ar", name: "العربية" },
        ]}
      />
      <p className="muted">{words.plainWords}</p>
    </div>
  );
}

export function Decisions({
  variant,
  decide,
  busy,
}: {
  readonly variant: Variant;
  readonly decide: Decide;
  readonly busy: boolean;
}): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const { variant_id: id, state } = variant;
  if (state === "approved")
    return (
      <Button isDisabled={busy} aria-label={`${words.retire}: ${id}`} onPress={() => decide(id, "retired", false)}>
        {words.retire}
      </Button>
    );
  if (state === "rejected" || state === "retired")
    return (
      <Button isDisabled={busy} aria-label={`${words.bringBack}: ${id}`} onPress={() => decide(id, "approved", false)}>
        {words.bringBack}
      </Button>
    );
  if (state !== "proposed") return null;
  return (
    <>
      <Button
        kind="main"
        isDisabled={busy}
        aria-label={`${words.approve}: ${id}`}
        onPress={() => decide(id, "approved", false)}
      >
        {words.approve}
      </Button>
      <Button isDisabled={busy} aria-label={`${words.reject}: ${id}`} onPress={() => decide(id, "rejected", false)}>
        {words.reject}
      </Button>
      <Button
        kind="quiet"
        isDisabled={busy}
        aria-label={`${words.family}: ${variant.family}`}
        onPress={() => decide(variant.family, "approved", true)}
      >
        {words.family}
      </Button>
    </>
  );
}

function Tile({
  campaign,
  variant,
  decide,
  busy,
  picked,
  pick,
  view,
}: {
  readonly campaign: string;
  readonly view: View;
  readonly variant: Variant;
  readonly decide: Decide;
  readonly busy: boolean;
  readonly picked: boolean;
  readonly pick: (on: boolean) => void;
}): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const { count } = useFormats();
  return (
    <li className="tile">
      <img
        src={previewOf(campaign, variant.variant_id, view)}
        alt={words.looks(variant.family)}
        width={320}
        height={Math.round(320 * HEIGHTS[view.aspect])}
        loading="lazy"
      />
      <p>{variant.family.replaceAll("/", " · ")}</p>
      <p className="muted">{words.came(count(variant.shown), count(variant.clicked))}</p>
      <div className="row">
        <Decisions variant={variant} decide={decide} busy={busy} />
      </div>
      <Check label={words.pick} on={picked} onChange={pick} />
    </li>
  );
}

function SideBySide({
  campaign,
  variants,
  view,
}: {
  readonly campaign: string;
  readonly view: View;
  readonly variants: readonly Variant[];
}): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const { count } = useFormats();
  if (variants.length < 2) return <p className="muted">{words.pickTwo}</p>;
  return (
    <ul className="tiles compared">
      {variants.map((variant) => (
        <li key={variant.variant_id} className="tile">
          <img
            src={previewOf(campaign, variant.variant_id, view)}
            alt={words.looks(variant.family)}
            width={480}
            height={Math.round(480 * HEIGHTS[view.aspect])}
          />
          <p>{Object.values(variant.choices).join(" · ")}</p>
          <p className="muted">
            {words.states[variant.state] ?? variant.state}, {words.came(count(variant.shown), count(variant.clicked))}
          </p>
        </li>
      ))}
    </ul>
  );
}

function History({
  campaign,
  variants,
  steps,
}: {
  readonly campaign: string;
  readonly variants: readonly Variant[];
  readonly steps: readonly Step[];
}): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const { time } = useFormats();
  const styles = new Map(variants.map((variant) => [variant.variant_id, variant.family.replaceAll("/", " · ")]));
  return (
    <DataTable
      caption={words.history}
      hideCaption
      csv={`approvals-${campaign}`}
      rows={steps.map((step, place) => ({ ...step, place })).reverse()}
      rowKey={(step) => String(step.place)}
      columns={[
        { key: "at", title: words.when, value: (step) => step.at, cell: (step) => time(step.at) },
        { key: "by", title: words.who, value: (step) => (step.by === "policy" ? words.policy : step.by) },
        { key: "state", title: words.what, value: (step) => words.states[step.state] ?? step.state },
        {
          key: "of",
          title: words.of,
          value: (step) => (step.of_family ? words.familyOf(step.subject) : (styles.get(step.subject) ?? step.subject)),
        },
        { key: "note", title: words.note, value: (step) => step.note },
      ]}
    />
  );
}

interface Seen {
  readonly steps: readonly Step[];
  readonly variants: readonly Variant[];
}

interface Changes {
  readonly decide: Decide;
  readonly draw: (seed: number) => void;
  readonly busy: boolean;
  readonly drawing: boolean;
}

function useChanges(campaign: string, seen: Seen): Changes {
  const { session } = useSession();
  const queries = useQueryClient();
  const by = session?.name ?? "";
  const params = { path: { campaign_id: campaign } };
  const settled = {
    onError: useFailed(),
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: ["campaign-posters"] });
      return queries.invalidateQueries({ queryKey: ["creative-campaigns", campaign] });
    },
  };
  const deciding = useMutation({
    mutationFn: (decided: { subject: string; state: Decision; ofFamily: boolean }) =>
      decide(campaign, seen, { ...decided, by }),
    ...settled,
  });
  const draw = useMutation({
    mutationFn: (seed: number) =>
      send("post", "/v1/creative-campaigns/{campaign_id}/designs", {
        params,
        body: { count: DRAWN_AT_ONCE, seed, by },
      }),
    ...settled,
  });
  return {
    decide: (subject, state, ofFamily) => deciding.mutate({ subject, state, ofFamily }),
    draw: draw.mutate,
    busy: deciding.isPending,
    drawing: draw.isPending,
  };
}

function Shelves({ campaign, seen }: { readonly campaign: Campaign; readonly seen: Seen }): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const { variants } = seen;
  const { decide, draw, busy, drawing } = useChanges(campaign.campaign_id, seen);
  const [picked, setPicked] = useState<readonly string[]>([]);
  const [view, setView] = useState<View>({ aspect: "1:1", language: "en" });
  const drawMore = (
    <Button isDisabled={drawing} onPress={() => draw(variants.length)}>
      {drawing ? words.drawing : words.draw}
    </Button>
  );
  if (variants.length === 0)
    return (
      <Empty title={words.empty} action={drawMore}>
        {words.emptyWhat}
      </Empty>
    );
  const pick = (id: string, on: boolean): void =>
    setPicked((was) => (on ? [...was, id].slice(-MOST_COMPARED) : was.filter((one) => one !== id)));
  const shelf = (title: (n: number) => string, states: readonly string[], empty = ""): ReactNode => {
    const some = variants.filter((variant) => states.includes(variant.state));
    if (some.length === 0 && !empty) return null;
    return (
      <Card wide title={title(some.length)}>
        {some.length === 0 && <p className="muted">{empty}</p>}
        <ul className="tiles">
          {some.map((variant) => (
            <Tile
              key={variant.variant_id}
              campaign={campaign.campaign_id}
              variant={variant}
              view={view}
              decide={decide}
              busy={busy}
              picked={picked.includes(variant.variant_id)}
              pick={(on) => pick(variant.variant_id, on)}
            />
          ))}
        </ul>
      </Card>
    );
  };
  return (
    <div className="stack">
      <div className="row">{drawMore}</div>
      <Views view={view} change={setView} />
      {shelf(words.waits, ["proposed"], words.nothing)}
      {shelf(words.runs, ["approved"])}
      <Card wide title={words.compare} about={picked.length > 0 ? words.picked(picked.length) : undefined}>
        <SideBySide
          campaign={campaign.campaign_id}
          view={view}
          variants={variants.filter((one) => picked.includes(one.variant_id))}
        />
      </Card>
      {shelf(words.over, ["rejected", "retired"])}
      <Card wide title={words.history}>
        <History campaign={campaign.campaign_id} variants={variants} steps={seen.steps} />
      </Card>
    </div>
  );
}

export function Gallery({ campaign }: { readonly campaign: Campaign }): ReactNode {
  const { campaign_id: id } = campaign;
  const query = useQuery({
    queryKey: ["creative-campaigns", id, "gallery"],
    queryFn: () => readGallery(id),
  });
  return (
    <Loaded query={query} lines={8}>
      {(seen) => <Shelves campaign={campaign} seen={seen} />}
    </Loaded>
  );
}
