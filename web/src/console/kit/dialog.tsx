/** Dialogs: a question before something that cannot be undone, a form, and a panel at the side. */
import type { ReactNode } from "react";
import { Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from "react-aria-components";
import { useWords } from "../language.tsx";
import { Button, type ButtonKind } from "./button.tsx";
import { KIT_WORDS } from "./words.ts";

interface Framed {
  readonly title: string;
  readonly children: ReactNode | ((close: () => void) => ReactNode);
}

function Frame({
  title,
  children,
  kind,
  alert,
}: Framed & { readonly kind: string; readonly alert?: boolean }): ReactNode {
  const words = useWords(KIT_WORDS);
  return (
    <ModalOverlay className="overlay" isDismissable={!alert}>
      <Modal className={kind}>
        <Dialog role={alert ? "alertdialog" : "dialog"}>
          {({ close }) => (
            <>
              <header>
                <Heading slot="title">{title}</Heading>
                <Button kind="quiet" onPress={close} aria-label={words.close}>
                  ×
                </Button>
              </header>
              {typeof children === "function" ? children(close) : children}
            </>
          )}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface Opened extends Framed {
  /** The button that opens it. */
  readonly opener: ReactNode;
}

/** A dialog in the middle, opened by a button. */
export function Ask({ opener, ...framed }: Opened): ReactNode {
  return (
    <DialogTrigger>
      {opener}
      <Frame kind="modal" {...framed} />
    </DialogTrigger>
  );
}

/** A panel at the side of the page, opened by a button. */
export function Drawer({ opener, ...framed }: Opened): ReactNode {
  return (
    <DialogTrigger>
      {opener}
      <Frame kind="drawer" {...framed} />
    </DialogTrigger>
  );
}

interface ConfirmProps {
  readonly opener: ReactNode;
  readonly title: string;
  /** What will happen. */
  readonly children: ReactNode;
  /** The verb of the button that does it. */
  readonly verb: string;
  readonly kind?: ButtonKind;
  readonly onConfirm: () => void;
}

/** Asks before what cannot be undone. "No" is as easy as "yes". */
export function Confirm({ opener, title, children, verb, kind = "danger", onConfirm }: ConfirmProps): ReactNode {
  const words = useWords(KIT_WORDS);
  return (
    <DialogTrigger>
      {opener}
      <Frame kind="modal" title={title} alert>
        {(close) => (
          <>
            <div>{children}</div>
            <div className="row end">
              <Button onPress={close}>{words.cancel}</Button>
              <Button
                kind={kind}
                onPress={() => {
                  close();
                  onConfirm();
                }}
              >
                {verb}
              </Button>
            </div>
          </>
        )}
      </Frame>
    </DialogTrigger>
  );
}
