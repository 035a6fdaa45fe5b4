"""Passkeys of staff (WebAuthn level 3). A challenge counts once, for five minutes, and is what a ceremony is found by."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from stores.staff_accounts import StaffAccount
from stores.staff_passkeys import Passkey, SqlPasskeys
from stores.staff_sessions import SqlCeremonies

NEW, KNOWN = "passkey-new", "passkey-known"
_TRANSPORTS = frozenset({"usb", "nfc", "ble", "smart-card", "hybrid", "internal"})


class PasskeyError(Exception):
    """A passkey that does not fit; the text tells the log why."""


class Passkeys:
    """Makes and checks passkeys for the server at `public_url`."""

    def __init__(self, kept: SqlPasskeys, ceremonies: SqlCeremonies, public_url: str, shop: str) -> None:
        self._kept, self._ceremonies, self._shop = kept, ceremonies, shop
        own = urlsplit(public_url)
        self._host, self._origins = own.hostname or "", [f"{own.scheme}://{own.netloc}"]
        if _is_loopback(self._host):  # browsers give no passkey to an address; `localhost` is this machine, too
            port = f":{own.port}" if own.port else ""
            self._host, self._origins = "localhost", [f"{own.scheme}://localhost{port}"]
        self._secure = own.scheme == "https" or self._host == "localhost"

    @property
    def possible(self) -> bool:
        """Whether browsers give passkeys to this server: by https and a name, or on this machine itself."""
        return self._secure and not _is_address(self._host)

    def options(self, account: StaffAccount, *, now: datetime) -> dict[str, Any]:
        """Return what a browser needs to make a passkey (`PublicKeyCredentialCreationOptionsJSON`)."""
        made = generate_registration_options(
            rp_id=self._host,
            rp_name=self._shop,
            user_id=account.account_id.encode(),
            user_name=account.email,
            user_display_name=account.name,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=one.credential_id) for one in self._of(account)],
        )
        return self._begun(NEW, made.challenge, options_to_json(made), now, account.account_id)

    def add(self, account: StaffAccount, credential: dict[str, Any], name: str, *, now: datetime) -> Passkey:
        """Keep the passkey that a browser made; PasskeyError when it does not answer an open challenge of this account."""
        challenge = self._challenge(NEW, credential, now, account.account_id)
        try:
            found = verify_registration_response(
                credential=credential, expected_challenge=challenge, expected_rp_id=self._host,
                expected_origin=self._origins, require_user_verification=True,
            )  # fmt: skip
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise PasskeyError(str(error)) from error
        told = credential["response"].get("transports", ())
        transports = sorted(
            _TRANSPORTS & {one for one in told if isinstance(one, str)} if isinstance(told, list) else ()
        )
        return self._kept.add(
            account.account_id, found.credential_id, found.credential_public_key, sign_count=found.sign_count,
            transports=transports, name=name, at=now,
        )  # fmt: skip

    def challenge(self, *, now: datetime) -> dict[str, Any]:
        """Return what a browser needs to sign in by any passkey of this server (`PublicKeyCredentialRequestOptionsJSON`)."""
        made = generate_authentication_options(rp_id=self._host, user_verification=UserVerificationRequirement.REQUIRED)
        return self._begun(KNOWN, made.challenge, options_to_json(made), now, None)

    def check(self, credential: dict[str, Any], *, now: datetime) -> Passkey:
        """Return the passkey that a browser shows; PasskeyError when it is none of ours, or answers no open challenge."""
        challenge = self._challenge(KNOWN, credential, now, None)
        try:
            kept = self._kept.find(base64url_to_bytes(credential["rawId"]))
            if kept is None:
                raise PasskeyError("nobody has this passkey")
            found = verify_authentication_response(
                credential=credential, expected_challenge=challenge, expected_rp_id=self._host,
                expected_origin=self._origins, credential_public_key=kept.public_key,
                credential_current_sign_count=kept.sign_count, require_user_verification=True,
            )  # fmt: skip
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise PasskeyError(str(error)) from error
        self._kept.used(kept.passkey_id, sign_count=found.new_sign_count, at=now)
        return kept

    def _of(self, account: StaffAccount) -> Sequence[Passkey]:
        return self._kept.of(account.account_id)

    def _begun(
        self, kind: str, challenge: bytes, options: str, now: datetime, account_id: str | None
    ) -> dict[str, Any]:
        self._ceremonies.begin(kind, {}, now=now, account_id=account_id, name=bytes_to_base64url(challenge))
        told: dict[str, Any] = json.loads(options)
        return told

    def _challenge(self, kind: str, credential: dict[str, Any], now: datetime, account_id: str | None) -> bytes:
        try:
            client = parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"]))
        except (WebAuthnException, ValueError, KeyError, TypeError) as error:
            raise PasskeyError("what the browser signed cannot be read") from error
        if self._ceremonies.take(kind, bytes_to_base64url(client.challenge), now=now, account_id=account_id) is None:
            raise PasskeyError("the challenge is not open")
        return client.challenge


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)
