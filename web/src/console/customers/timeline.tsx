/** What happened to a member, the newest first. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Link } from "react-router";
import { type Answer, read } from "../client.ts";
import { Button, Card, Choice, Empty, Loaded, Tag } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { English } from "../told/told.tsx";
import { CUSTOMER_WORDS } from "./words.ts";

type Moment = Answer<"/v1/members/{member_id}/timeline", "get">["moments"][number];
type Kind = Moment["kind"];

const KINDS: readonly Kind[] = ["event", "decision", "coupon", "conversation", "consent"];
const ALL = "all";

/** Says what happened, in the words of each kind. */
function useTold(): (moment: Moment) => string {
  const words = useWords(CUSTOMER_WORDS);
  const { money, count } = useFormats();
  return ({ kind, facts }) => {
    const text = (name: string): string => String(facts[name] ?? "");
    const purpose = words.purposes[text("purpose")] ?? text("purpose");
    const lines = typeof facts.lines === "number" ? ` (${words.lines(count(facts.lines))})` : "";
    const said: Readonly<Record<Kind, () => string>> = {
      decision: () => words.decided,
      coupon: () => {
        const got = words.couponGot(money(Number(facts.discount_minor), text("currency")), text("code"));
        return `${got}: ${words.couponStatus[text("status")] ?? text("status")}`;
      },
      conversation: () => words.talked(count(Number(facts.messages ?? 0))),
      consent: () => (facts.granted ? words.consented(purpose) : words.withdrew(purpose)),
      event: () => `${words.events[text("type")] ?? text("type")}${lines}`,
    };
    return said[kind]();
  };
}

function One({ moment }: { readonly moment: Moment }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const { time } = useFormats();
  const told = useTold();
  const channel = moment.facts.channel;
  const said = moment.facts.sentence;
  const decision = moment.kind === "decision" ? moment.id : moment.facts.decision_id;
  return (
    <li>
      <time dateTime={moment.at} className="muted">
        {time(moment.at)}
      </time>
      <div>
        <p>
          {told(moment)} {typeof channel === "string" && <Tag>{words.channels[channel] ?? channel}</Tag>}
        </p>
        {typeof said === "string" && said && (
          <p className="muted">
            <English>{said}</English>
          </p>
        )}
      </div>
      {typeof decision === "string" && (
        <Link to={`/decisions/${decision}`} aria-label={`${words.whyThis} ${told(moment)}, ${time(moment.at)}`}>
          {words.whyThis}
        </Link>
      )}
    </li>
  );
}

export function Timeline({ member }: { readonly member: string }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const [kind, setKind] = useState<string>(ALL);
  const query = useInfiniteQuery({
    queryKey: ["member", member, "timeline", kind],
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      read("/v1/members/{member_id}/timeline", {
        params: {
          path: { member_id: member },
          query: { ...(kind === ALL ? {} : { kind: [kind as Kind] }), ...(pageParam ? { cursor: pageParam } : {}) },
        },
      }),
    getNextPageParam: (last) => last.next_cursor ?? undefined,
  });
  const options = [{ id: ALL, name: words.all }, ...KINDS.map((id) => ({ id, name: words.kinds[id] ?? id }))];
  return (
    <Card title={words.timeline} about={words.timelineAbout}>
      <div className="narrow">
        <Choice label={words.only} value={kind} onChange={setKind} options={options} />
      </div>
      <Loaded query={query} lines={8}>
        {({ pages }) => {
          const moments = pages.flatMap((page) => page.moments);
          if (moments.length === 0) return <Empty title={words.noTimeline}>{words.noTimelineWhat}</Empty>;
          return (
            <>
              <ol className="timeline">
                {moments.map((moment) => (
                  <One key={`${moment.kind} ${moment.id}`} moment={moment} />
                ))}
              </ol>
              {query.hasNextPage && (
                <Button onPress={() => void query.fetchNextPage()} isDisabled={query.isFetchingNextPage}>
                  {words.more}
                </Button>
              )}
            </>
          );
        }}
      </Loaded>
    </Card>
  );
}
