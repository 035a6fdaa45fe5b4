/** One decision, opened. */
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useParams } from "react-router";
import { ApiError } from "../../api/http.ts";
import { read } from "../client.ts";
import { Empty, Loaded, Page } from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { Explanation } from "./explanation.tsx";
import { DECISION_WORDS } from "./words.ts";

export default function DecisionPage(): ReactNode {
  const words = useWords(DECISION_WORDS);
  const { time } = useFormats();
  const { decision = "" } = useParams();
  const query = useQuery({
    queryKey: ["explanation", decision],
    queryFn: () => read("/v1/decisions/{decision_id}/explanation", { params: { path: { decision_id: decision } } }),
  });
  if (query.error instanceof ApiError && query.error.status === 404)
    return (
      <Page title={words.gone}>
        <Empty title={words.gone}>{words.goneWhat}</Empty>
      </Page>
    );
  return (
    <Page title={words.title} about={query.data && words.about(time(query.data.at))}>
      <Loaded query={query} lines={8}>
        {(told) => <Explanation told={told} />}
      </Loaded>
    </Page>
  );
}
