/** Start a campaign of creatives. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import type { Product } from "../campaigns/draft.ts";
import { ProductSearch } from "../campaigns/product-search.tsx";
import { send } from "../client.ts";
import { Ask, Button, Choice, DayField, TextField, Wrong } from "../kit/index.ts";
import { useWords } from "../language.tsx";
import { CREATIVES_WORDS } from "./words.ts";

const MONTH_MS = 28 * 86_400_000;
const LONGEST_ID = 63;
type Approval = "each" | "family" | "automatic";

/** The id that a name makes: small letters, digits and dashes, a letter first, and no longer than the api takes. */
export function idOf(name: string): string {
  const plain = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  const id = /^[0-9]/.test(plain) ? `p-${plain}` : plain;
  return id.slice(0, LONGEST_ID).replace(/-+$/, "");
}

function Form({ close }: { readonly close: () => void }): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  const queries = useQueryClient();
  const [typed, setName] = useState<string>();
  const [product, setProduct] = useState<Product>();
  const name = typed ?? product?.name ?? "";
  const id = idOf(name) || idOf(product?.product_id ?? ""); // a name in other letters makes none
  const [approval, setApproval] = useState<Approval>("each");
  const [ends, setEnds] = useState(() => new Date(Date.now() + MONTH_MS).toISOString().slice(0, 10));
  const start = useMutation({
    mutationFn: () =>
      send("post", "/v1/creative-campaigns", {
        body: {
          campaign_id: id,
          product_id: product?.product_id ?? "",
          approval,
          starts_at: new Date().toISOString(),
          ends_at: `${ends}T23:59:59Z`,
        },
      }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["creative-campaigns"] });
      close();
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (id && product) start.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      {product ? (
        <div className="chosen">
          <span>
            {words.product}: <bdi>{product.name}</bdi>
          </span>
          <Button kind="quiet" onPress={() => setProduct(undefined)}>
            {words.otherProduct}
          </Button>
        </div>
      ) : (
        <ProductSearch label={words.product} take={setProduct} />
      )}
      <TextField label={words.name} help={words.nameHelp(id)} value={name} onChange={setName} maxLength={60} required />
      <Choice
        label={words.approval}
        value={approval}
        onChange={(id) => setApproval(id as Approval)}
        options={Object.entries(words.approvals).map(([id, what]) => ({ id, name: what }))}
      />
      <DayField label={words.ends} value={ends} onChange={setEnds} required />
      <Wrong error={start.error} />
      <div className="row end">
        <Button kind="main" type="submit" isDisabled={start.isPending || !id || !product}>
          {words.start}
        </Button>
      </div>
    </form>
  );
}

export function Start(): ReactNode {
  const words = useWords(CREATIVES_WORDS);
  return (
    <Ask title={words.start} opener={<Button>{words.start}</Button>}>
      {(close) => <Form close={close} />}
    </Ask>
  );
}
