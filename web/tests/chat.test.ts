import "deep-chat";
import { expect, test, vi } from "vitest";
import { type Chat, makeChat } from "../src/widget/chat.ts";

const input = (chat: Chat) => chat.shadowRoot.querySelector('[data-testid="chat-input"]');

test("a chat that draws itself once more is dressed once more", async () => {
  let drawn = 0;
  const chat = makeChat(
    async () => undefined,
    "",
    () => drawn++,
  );
  document.body.append(chat);
  await vi.waitFor(() => expect(input(chat)).not.toBeNull());
  const [first, times] = [input(chat), drawn];
  (chat as unknown as { onRender: () => void }).onRender();
  await vi.waitFor(() => expect(drawn).toBe(times + 1));
  expect(input(chat)).not.toBeNull();
  expect(input(chat)).not.toBe(first);
});
