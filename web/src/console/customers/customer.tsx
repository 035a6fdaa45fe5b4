/** One member. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useParams } from "react-router";
import { read } from "../client.ts";
import { Loaded, Page, Tabs, Tag } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import "./customers.css";
import type { Member } from "./labels.tsx";
import { Profile } from "./profile.tsx";
import { Rights } from "./rights.tsx";
import { Timeline } from "./timeline.tsx";
import { CUSTOMER_WORDS } from "./words.ts";

function Shown({ member }: { readonly member: Member }): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const parts = [
    { id: "profile", name: words.profile, content: () => <Profile member={member} /> },
    { id: "timeline", name: words.timelineTab, content: () => <Timeline member={member.member_id} /> },
    { id: "privacy", name: words.privacy, content: () => <Rights member={member} /> },
  ];
  return <Tabs label={words.parts} parts={parts} />;
}

export default function CustomerPage(): ReactNode {
  const words = useWords(CUSTOMER_WORDS);
  const { day } = useFormats();
  const { member = "" } = useParams();
  const query = useQuery({
    queryKey: ["member", member],
    queryFn: () => read("/v1/members/{member_id}/overview", { params: { path: { member_id: member } } }),
  });
  const found = query.data;
  const about = found && [found.external_id, found.email, `${words.since} ${day(found.created_at)}`].filter(Boolean);
  return (
    <Page
      title={found?.display_name ?? words.title}
      about={about?.join(" · ")}
      back={<Link to="/customers">{words.back}</Link>}
      actions={
        found && <Tag tone={found.consented ? "good" : "plain"}>{found.consented ? words.agreed : words.noConsent}</Tag>
      }
    >
      <Loaded query={query} lines={10}>
        {(told) => <Shown member={told} />}
      </Loaded>
    </Page>
  );
}
