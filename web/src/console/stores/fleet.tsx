/** The fleet: each kiosk's signs of life and its screen. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { Link } from "react-router";
import { type Answer, read, send } from "../client.ts";
import {
  Ask,
  Button,
  Card,
  Confirm,
  Empty,
  Facts,
  Loaded,
  Tag,
  TextField,
  type Tone,
  useFailed,
  useToast,
} from "../kit/index.ts";
import { useFormats, useWords } from "../language.tsx";
import { STORES_WORDS } from "./words.ts";

type Kiosk = Answer<"/v1/fleet", "get">["kiosks"][number];
const LOOK_AGAIN_MS = 10_000;
const TONES: Readonly<Record<string, Tone>> = { on: "good", silent: "bad", off: "plain", never: "warn" };

function Light({ light, seen }: { readonly light: string; readonly seen: string | null }): ReactNode {
  const words = useWords(STORES_WORDS);
  const { ago } = useFormats();
  return (
    <>
      <Tag tone={TONES[light] ?? "plain"}>{words.lights[light] ?? light}</Tag>{" "}
      {light === "silent" && seen && <span className="muted">{words.since(ago(seen))}</span>}
    </>
  );
}

/** The screen in small, made of what is public of it. */
function Screen({ kiosk }: { readonly kiosk: Kiosk }): ReactNode {
  const words = useWords(STORES_WORDS);
  const { shown } = kiosk;
  if (!shown) return <p className="screen muted">{words.nothing}</p>;
  if (shown.personal) return <p className="screen muted">{words.personal}</p>;
  return (
    <figure className="screen">
      {shown.poster_url ? (
        <img src={shown.poster_url} alt="" />
      ) : (
        shown.items[0] && <img src={shown.items[0].picture_url} alt="" />
      )}
      <figcaption>
        <strong dir="auto">{shown.headline}</strong>
        <span className="muted">{shown.items.map((item) => item.name).join(" · ")}</span>
      </figcaption>
    </figure>
  );
}

function One({ kiosk }: { readonly kiosk: Kiosk }): ReactNode {
  const words = useWords(STORES_WORDS);
  const { number } = useFormats();
  const tell = useToast();
  const purge = useMutation({
    mutationFn: () => send("post", "/v1/kiosks/{kiosk_id}/purge", { params: { path: { kiosk_id: kiosk.kiosk_id } } }),
    onSuccess: () => tell(words.purged(kiosk.name)),
    onError: useFailed(),
  });
  const late = kiosk.camera === "on" && kiosk.camera_late_s !== null;
  return (
    <Card
      title={kiosk.name}
      actions={
        <Confirm
          title={words.purgeTitle(kiosk.name)}
          verb={words.purge}
          opener={<Button kind="quiet">{words.purge}</Button>}
          onConfirm={() => purge.mutate()}
        >
          {words.purgeWhat}
        </Confirm>
      }
    >
      <Screen kiosk={kiosk} />
      <Facts
        facts={[
          [words.store, kiosk.store_id ?? words.noStore],
          [words.display, <Light key="d" light={kiosk.display} seen={kiosk.display_seen_at} />],
          [
            words.camera,
            <span key="c">
              <Light light={kiosk.camera} seen={kiosk.camera_seen_at} />
              {late && <span className="muted"> {words.late(number(kiosk.camera_late_s ?? 0))}</span>}
            </span>,
          ],
          [words.mode, kiosk.shown ? (words.modes[kiosk.shown.mode] ?? kiosk.shown.mode) : "–"],
        ]}
      />
      {kiosk.shown?.decision_id && <Link to={`/decisions/${kiosk.shown.decision_id}`}>{words.why}</Link>}
    </Card>
  );
}

export function Fleet(): ReactNode {
  const words = useWords(STORES_WORDS);
  const query = useQuery({ queryKey: ["fleet"], queryFn: () => read("/v1/fleet"), refetchInterval: LOOK_AGAIN_MS });
  return (
    <Loaded query={query} lines={6}>
      {({ kiosks }) =>
        kiosks.length === 0 ? (
          <Empty title={words.none}>{words.noneWhat}</Empty>
        ) : (
          <div className="grid small">
            {kiosks.map((kiosk) => (
              <One key={kiosk.kiosk_id} kiosk={kiosk} />
            ))}
          </div>
        )
      }
    </Loaded>
  );
}

function NewKiosk({ close }: { readonly close: () => void }): ReactNode {
  const words = useWords(STORES_WORDS);
  const queries = useQueryClient();
  const tell = useToast();
  const [name, setName] = useState("");
  const [store, setStore] = useState("");
  const make = useMutation({
    mutationFn: () => send("post", "/v1/kiosks", { body: { name, store_id: store.trim() || null } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["fleet"] }),
  });
  if (make.data) {
    const address = `${location.origin}/kiosk/${encodeURIComponent(make.data.name)}#key=${make.data.device_key}`;
    return (
      <div className="stack">
        <p>{words.made}</p>
        <code className="address">{address}</code>
        <div className="row end">
          <Button onPress={() => void navigator.clipboard.writeText(address).then(() => tell(words.copied))}>
            {words.copy}
          </Button>
          <Button kind="main" onPress={close}>
            {words.done}
          </Button>
        </div>
      </div>
    );
  }
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (name) make.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <TextField
        label={words.newName}
        help={words.newNameHelp}
        value={name}
        onChange={setName}
        maxLength={64}
        wrong={make.error?.message}
        required
      />
      <TextField label={words.newStore} help={words.newStoreHelp} value={store} onChange={setStore} maxLength={64} />
      <div className="row end">
        <Button kind="main" type="submit" isDisabled={!name || make.isPending}>
          {words.add}
        </Button>
      </div>
    </form>
  );
}

export function AddKiosk(): ReactNode {
  const words = useWords(STORES_WORDS);
  return (
    <Ask title={words.add} opener={<Button>{words.add}</Button>}>
      {(close) => <NewKiosk close={close} />}
    </Ask>
  );
}
