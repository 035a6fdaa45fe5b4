"""What answers about staff accounts hold."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.answers import Shape

Way = Literal["password", "passkey", "oidc", "invite"]


class SignedInOut(Shape):
    """Who is signed in, and what they may do."""

    account_id: str
    session_id: str
    name: str = Field(examples=["Ana Diaz"])
    email: str = Field(examples=["ana@shop.example"])
    roles: list[str] = Field(examples=[["marketer"]])
    scopes: list[str] = Field(examples=[["campaigns", "overview"]])
    language: str | None
    way: Way = Field(description="How they signed in.")
    has_password: bool
    since: str = Field(description="When this session began.")
    retailer: str = Field(examples=["Hofladen"])
    currency: str = Field(description="Of money that names none.", examples=["USD"])


class DemoAccountOut(Shape):
    """An account of the demo."""

    email: str
    role: str
    password: str


class WaysOut(Shape):
    """How staff can sign in here."""

    retailer: str = Field(description="Whose console it is.")
    password: bool
    passkey: bool = Field(description="Passkeys need https, or this machine itself as `localhost`.")
    oidc: str | None = Field(description="What the company's own sign-in is called; null: there is none.")
    demo: list[DemoAccountOut] = Field(description="Accounts to try, in a demo only.")


class PasskeyOptions(BaseModel):
    """What a browser makes a passkey by (`PublicKeyCredentialCreationOptionsJSON`)."""

    challenge: str
    rp: dict[str, str]
    user: dict[str, str]
    timeout: int = Field(description="Milliseconds.")


class PasskeyChallenge(BaseModel):
    """What a browser asks for a passkey by (`PublicKeyCredentialRequestOptionsJSON`)."""

    challenge: str
    rpId: str = Field(examples=["aisle.shop.example"])  # noqa: N815  the standard's name
    timeout: int = Field(description="Milliseconds.")
    userVerification: str  # noqa: N815


class PasskeyOut(Shape):
    """A passkey, without what it is checked by."""

    passkey_id: str
    name: str = Field(examples=["My phone"])
    transports: list[str]
    created_at: str
    used_at: str | None


class PasskeysOut(Shape):
    """Somebody's own passkeys, newest first."""

    passkeys: list[PasskeyOut]


class SessionOut(Shape):
    """A browser in which somebody is signed in."""

    session_id: str
    way: Way
    browser: str
    since: str
    seen_at: str
    this: bool = Field(description="Whether it is the one that asks.")


class SessionsOut(Shape):
    """Somebody's own sessions, newest first."""

    sessions: list[SessionOut]


class EndedOut(Shape):
    """How many sessions ended."""

    ended: int


class WelcomeOut(Shape):
    """Whom an invitation is for."""

    name: str
    email: str


class AccountOut(Shape):
    """Somebody who may work in the console."""

    account_id: str
    email: str
    name: str
    roles: list[str]
    disabled: bool
    has_password: bool
    passkeys: int
    invited_until: str | None = Field(description="Until when a link that sets a password is open.")
    created_at: str
    signed_in_at: str | None
    etag: str = Field(
        description="What `If-Match` names, to change nothing that was not seen.", examples=['"account-5f0c1d2e"']
    )


class InvitedOut(AccountOut):
    """An account with the link that sets its password, shown this once."""

    invite_url: str = Field(description="Good once, for 72 hours. Hand it over by a channel that you trust.")


class AccountsPage(Shape):
    """Accounts, newest first."""

    accounts: list[AccountOut]
    next_cursor: str | None


class RemovedOut(Shape):
    """The account is gone."""

    account_id: str
