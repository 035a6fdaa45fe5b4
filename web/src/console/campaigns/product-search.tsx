/** Finds a product by its name: nobody knows its number. */
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { read } from "../client.ts";
import { Button, Search, useLater } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import "./campaigns.css";
import type { Product } from "./draft.ts";
import { CAMPAIGN_WORDS } from "./words.ts";

function Found({ asked, take }: { readonly asked: string; readonly take: (product: Product) => void }): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const found = useQuery({
    queryKey: ["campaign-products", asked],
    queryFn: () => read("/v1/campaign-products", { params: { query: { q: asked } } }),
    enabled: asked !== "",
    placeholderData: (was) => was,
  });
  if (!asked || !found.data) return null;
  if (found.data.products.length === 0) return <p role="status">{words.noProducts(asked)}</p>;
  return (
    <ul className="found" aria-label={words.foundProducts}>
      {found.data.products.map((one) => (
        <li key={one.product_id}>
          <Button onPress={() => take(one)}>
            <bdi>{one.name}</bdi>
            <small className="help">
              {one.category} · {one.price.text}
            </small>
          </Button>
        </li>
      ))}
    </ul>
  );
}

export function ProductSearch({
  label,
  take,
}: {
  readonly label: string;
  readonly take: (product: Product) => void;
}): ReactNode {
  const words = useWords(CAMPAIGN_WORDS);
  const [text, setText] = useState("");
  const asked = useLater(text.trim());
  return (
    <>
      <Search label={label} value={text} onChange={setText} placeholder={words.findPlaceholder} />
      <Found
        asked={asked}
        take={(product) => {
          take(product);
          setText("");
        }}
      />
    </>
  );
}
