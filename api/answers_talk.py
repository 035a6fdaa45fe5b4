"""What answers about conversations, baskets and hand-offs hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.answers import CouponOut, Item, MoneyOut, Shape


class QuickReplyOut(Shape):
    """A button: `title` is shown, `text` is sent."""

    title: str
    text: str


ConversationState = Literal["bot", "queued", "human", "returned"]


class BasketLineOut(Shape):
    """So many pieces of a product, at today's price."""

    product_id: str
    name: str
    quantity: int
    price: MoneyOut
    amount: MoneyOut
    picture_url: str
    in_stock: bool


class BasketOut(Shape):
    """What a shopper gathered, in the chat or on the shop's page."""

    lines: list[BasketLineOut]
    pieces: int
    total: MoneyOut


class TableOut(Shape):
    """Products in columns, what is known of each in rows; an empty cell is not known."""

    columns: list[str] = Field(examples=[["Oat milk, 1 l", "Almond milk, 1 l"]])
    rows: list[list[str]] = Field(
        description="Each begins with what it tells.", examples=[[["Price", "$1.99", "$2.49"]]]
    )


class AttachmentOut(Shape):
    """A file that a shopper sent; `url` is relative to the api and needs the same credentials."""

    attachment_id: str
    name: str
    media_type: Literal["image/jpeg", "application/pdf"]
    size: int = Field(description="Bytes.")
    url: str


class MessageOut(Shape):
    """One message; a shopper's own has words or files only."""

    message_id: str
    role: Literal["user", "bot", "agent"]
    text: str
    act: str | None = Field(
        None, description="What the assistant's words are for; null: the shopper's own.", examples=["search.found"]
    )
    at: str | None = None
    items: list[Item] = Field([])
    coupon: CouponOut | None = None
    quick_replies: list[QuickReplyOut] = Field([])
    decision_id: str | None = None
    worded_by: Literal["template", "language_model"] = Field("template", description="Who found the words.")
    agent: str | None = Field(None, description="Who says it, where a person does.")
    client_message_id: str | None = None
    basket: BasketOut | None = Field(None, description="The shopper's basket after this message, where it is about it.")
    table: TableOut | None = Field(None, description="Products set against each other; the text says the same.")
    attachments: list[AttachmentOut] = Field([])


class ConversationOut(Shape):
    """A conversation so far."""

    conversation_id: str
    messages: list[MessageOut]
    next_cursor: str | None = Field(None, description="Of the messages before these; null where there are none.")
    handoff: bool = False
    state: ConversationState = "bot"
    read_by_agent: str | None = Field(None, description="The message up to which an agent has read.")


class Mood(Shape):
    """How the shopper seems to feel: valence in [-1, 1], arousal in [0, 1], the strongest emotion, and the tone it calls for.

    `state` is what the words follow; `uncertainty` the valence's standard deviation; `cause` tells at what the mood fell.
    """

    valence: float
    arousal: float
    label: str
    mood: str
    state: str
    uncertainty: float
    cause: str | None


class ReplyOut(Shape):
    """The answer to a message, which is stored as `message_id`; no messages while a person has the conversation."""

    message_id: str
    messages: list[MessageOut]
    affect: Mood
    engine: Literal["rasa", "fallback", "human"]
    handoff: bool
    state: ConversationState


class FileReplyOut(ReplyOut):
    """The answer to a file, and the file as it is kept."""

    attachments: list[AttachmentOut]


class TalkState(Shape):
    """Who has a conversation, and how the queue stands."""

    state: ConversationState
    reason: str | None
    agent: str | None
    position: int | None
    expected_wait_s: int | None
    open: bool = Field(description="Whether a person answers now.")
    rate: bool = Field(description="Whether a rating may be given.")


class LatestConversation(Shape):
    """The conversation to go on with."""

    conversation_id: str | None


class Done(Shape):
    """Whether it was done; who only looks on tells the shopper nothing."""

    done: bool = True


class HandoffCard(Shape):
    """A conversation as the inbox lists it."""

    handoff_id: str
    conversation_id: str
    state: Literal["queued", "human", "returned", "ended"]
    reason: str
    urgency: int
    queued_at: str
    claimed_at: str | None
    ended_at: str | None
    agent: str | None
    mine: bool
    score: int | None
    summary: list[str]
    left: list[str] = Field(description="Messages that were left while nobody was there.")
    comment: str | None


class AgentOut(Shape):
    """An agent who is there."""

    agent_id: str
    name: str
    me: bool
    serving: int


class InboxOut(Shape):
    """What waits, the most urgent first, and what the agents have."""

    waiting: list[HandoffCard]
    served: list[HandoffCard]
    agents: list[str] = Field(description="Who is there.")
    people: list[AgentOut] = Field(description="The same, each with how many conversations they have.")


class NoteOut(Shape):
    """What an agent noted about a conversation, for other agents."""

    note_id: str
    agent: str
    mine: bool
    text: str
    at: str


class AffectPoint(Shape):
    """How the shopper felt when they wrote: valence in [-1, 1]."""

    at: str
    valence: float


class HandoffDetail(Shape):
    """A conversation that was handed over, with everything that was said."""

    handoff: HandoffCard
    display_name: str | None
    member_id: str | None
    language: str
    affect: Mood | None
    affect_line: list[AffectPoint]
    read_by_user: str | None
    messages: list[MessageOut]
    notes: list[NoteOut]


class AgentSaid(Shape):
    """An agent's message as it is stored."""

    message_id: str


class HandoffOut(Shape):
    """A human was asked for."""

    conversation_id: str
    handoff: bool
