"""What requests about staff accounts may hold (see `api.schemas`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from api.schemas import Body, Key, Truth


def _different(roles: list[str]) -> list[str]:
    return sorted(set(roles))


Email = Annotated[
    str, Field(min_length=3, max_length=254, pattern=r"^[^\x00-\x20@]+@[^\x00-\x20@]+$", examples=["ana@shop.example"])
]
Password = Annotated[str, Field(min_length=1, max_length=512, description="12 to 128 characters.")]
PersonName = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]*[^\x00-\x20][^\x00-\x1f]*$", examples=["Ana Diaz"])]  # fmt: skip
Role = Literal["marketer", "agent", "auditor", "admin"]
Roles = Annotated[list[Role], Field(min_length=1, max_length=8), AfterValidator(_different)]
Language = Annotated[str, Field(max_length=16, pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", examples=["en"])]
Code = Annotated[str, Field(min_length=16, max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]


class SignInIn(Body):
    """Who signs in, by password."""

    email: Email
    password: Password


class InvitationIn(Body):
    """An invitation."""

    code: Code = Field(description="From the link of the invitation.")


class WelcomeIn(InvitationIn):
    """An invitation and the password that its owner chooses."""

    password: Password


class PasswordIn(Body):
    """The password, and the one that takes its place."""

    password: Password = Field(description="The one that counts now.")
    new_password: Password


class ProfileIn(Body):
    """What somebody changes of their own account; what is left out stays."""

    name: PersonName | None = None
    language: Language | None = None


class AccountIn(Body):
    """Somebody who is to work in the console."""

    email: Email
    name: PersonName
    roles: Roles


class AccountPatch(Body):
    """What changes; what is left out stays."""

    name: PersonName | None = None
    roles: Roles | None = None
    disabled: Truth | None = None


class InviteIn(Body):
    """A new link to set a password by."""

    reset: Truth = Field(False, description="The password, the passkeys and every session end at once, too.")


Coded = Annotated[str, Field(min_length=1, max_length=20_000, pattern=r"^[A-Za-z0-9_-]+$")]


class PasskeyIn(Body):
    """A passkey that the browser made, and what it is called."""

    name: Key = Field(examples=["My phone"])
    credential: dict[str, Any] = Field(max_length=20, description="As `PublicKeyCredential.toJSON()` tells it.")


class PasskeyAnswer(BaseModel):
    """What a passkey signed."""

    model_config = ConfigDict(extra="ignore")
    clientDataJSON: Coded  # noqa: N815  the standard's names
    authenticatorData: Coded  # noqa: N815
    signature: Coded
    userHandle: Coded | None = None  # noqa: N815


class PasskeySignInIn(BaseModel):
    """A passkey as `PublicKeyCredential.toJSON()` tells it; what browsers tell beyond that is left aside."""

    model_config = ConfigDict(extra="ignore")
    id: Coded
    rawId: Coded  # noqa: N815
    type: Literal["public-key"]
    response: PasskeyAnswer
