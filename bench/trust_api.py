"""What the API answers to requests that a generator makes of its own document, and to callers who may not ask.

Schemathesis sends valid and invalid requests, at random, at the edges of the schema, and in sequences (`bench.trust_requests`), with every kind of
credential and without one. `python -m bench.trust_api "a key" nobody` asks as some of the callers only, and prints a line of JSON for each. What ends the session or the token that asks (`ENDS_ITSELF`) is asked for without one only, and in the matrix.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from api.sessions import ADMIN
from api.wiring import build_services
from bench import trust_outbox
from bench.access import ENDLESS, Cast, Rule, missing, own_page, rules, walk
from bench.profiling_models import state_dir
from bench.report import Metric, progress
from bench.stack import ApiAlone
from bench.trust_erasing import Shop
from bench.trust_requests import Caller, Effort, Tally, ask
from bench.trust_shop import quiet

SEED = 7
PATIENCE_S = 120
FULL = Effort(500, seed=SEED)
QUICK = Effort(2, 3, "fuzzing", SEED)
ENDS_ITSELF = frozenset((
    "DELETE /v1/session", "DELETE /v1/session/others/{session_id}", "DELETE /v1/me/session", "DELETE /v1/me/sessions",
    "DELETE /v1/me/sessions/{session_id}", "POST /v1/me/erase",
))  # fmt: skip
OPEN_THROTTLE = {
    f"AISLE_{name}_{rate}": value
    for name in ("API", "VISITOR", "SIGN_IN", "TOKEN")
    for rate, value in (("BURST", "1000000000"), ("PER_S", "1000000"))
}
SERVED = {
    **OPEN_THROTTLE,
    "AISLE_DEMO": "false",
    "AISLE_WORKER": "external",
    "AISLE_PUBLIC_URL": "http://localhost",  # where passkeys are possible
}


def metrics(*, quick: bool) -> Iterator[Metric]:
    """Yield what went wrong with generated requests, in the matrix of callers, and with events that a crash interrupts."""
    effort, asked_by = QUICK if quick else FULL, dict[str, str]()
    found_all = Tally()
    with small_shop() as (state, shop):
        progress("every route, as everybody")
        cells, found = walk(Cast(shop.services, shop.client))
        for one in found:
            progress(str(one))
        without, _ = missing(shop.app.openapi())
        for caller, tally in generated(state, shop, effort):
            found_all += tally
            asked_by[caller.name] = (
                f"{tally.asked:,} requests, {len(caller.operations)} operations, {tally.seldom} of them asked less than {effort.examples} times"
            )
    asked = found_all.asked
    about = f"{asked:,} generated requests, {effort.examples} examples per operation" + (
        f" or {effort.seconds} s per kind of caller, whichever comes first" if effort.seconds else ""
    )
    yield Metric(
        "trust.schemathesis_server_errors", found_all.server_errors, "errors", asked, about, seed=SEED,
        baseline={**asked_by, "answered with 429": found_all.throttled},
    )  # fmt: skip
    yield Metric(
        "trust.schemathesis_violations", found_all.violations, "answers that are not as documented", asked, about, seed=SEED,
    )  # fmt: skip
    let_in = sum(one.kind == "let in" for one in found) + found_all.ignored_auth
    kept_out = sum(one.kind != "let in" for one in found)
    yield Metric(
        "trust.auth_bypass", let_in, "bypasses", cells + asked, f"{cells:,} cells of the matrix, and generated requests",
        baseline={"wrongly kept out": kept_out},
    )  # fmt: skip
    yield Metric("trust.routes_without_matrix_entry", len(without), "routes", len(rules()), "bench/access.yml")
    yield from trust_outbox.metrics(quick)


def generated(state: Path, shop: Shop, effort: Effort, only: Collection[str] = ()) -> Iterator[tuple[Caller, Tally]]:
    """Yield what came of generated requests, caller by caller; `only`: some of them, by name."""
    with ApiAlone(state, environment=SERVED) as api:
        document = httpx.get(
            f"{api.url}/openapi.json", timeout=PATIENCE_S
        )  # made once, for longer than the generator waits
        document.raise_for_status()
        for caller in callers(shop):
            if not only or caller.name in only:
                progress(f"generated requests for {len(caller.operations)} operations from {caller.name}")
                yield caller, ask(api.url, state.parent, caller, effort)


@contextmanager
def small_shop() -> Iterator[tuple[Path, Shop]]:
    """Yield a state folder and the shop in it."""
    with tempfile.TemporaryDirectory(prefix="aisle-api-") as folder:
        state = Path(folder) / "var"
        state.mkdir()
        (state / "models").symlink_to((state_dir() / "models").resolve())
        services = build_services(quiet(state))
        yield state, Shop(services)
        services.db.dispose()


def callers(shop: Shop) -> Iterator[Caller]:
    """Yield everybody who asks, each with a credential that lasts longer than the asking."""
    kiosk = shop.post("/v1/kiosks", {"name": "door"})
    every = rules()

    def bearer(secret: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {secret}"}

    def serving(*kinds: str) -> list[str]:
        return _named([rule for rule in every if rule.takes.startswith(kinds) and rule.path not in ENDLESS])

    yield Caller("nobody", {}, _named(every))
    with_key = [rule for rule in every if (rule.scope or rule.takes == "open") and rule.path not in ENDLESS]
    yield Caller("a key", bearer(shop.key), _named(with_key))
    yield Caller(
        "a member",
        bearer(_lasting_token(shop)),
        [one for one in serving("visitor", "member") if one not in ENDS_ITSELF],
    )
    yield Caller("a kiosk", bearer(kiosk["device_key"]), serving("device"), {"kiosk_id": kiosk["kiosk_id"]})
    yield Caller("somebody of the staff", _staff(shop), [one for one in serving("session") if one not in ENDS_ITSELF])


def _named(found: list[Rule]) -> list[str]:
    return list(dict.fromkeys(f"{rule.method} {rule.path}" for rule in found))


def _lasting_token(shop: Shop) -> str:
    token = shop.post("/v1/widget-tokens", {"member_id": shop.member(1)})["token"]
    tokens = shop.services.tokens
    return tokens.issue(tokens.read(token), expires_at=datetime.now(UTC) + timedelta(days=1))


def _staff(shop: Shop) -> dict[str, str]:
    now, services = datetime.now(UTC), shop.services
    account = services.staff_accounts.add("generated@bench.example", "Generated", [ADMIN], at=now)
    secret, _ = services.sessions.start(account.account_id, "password", browser="bench", at=now)
    return own_page(secret)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Ask with generated requests as some callers, or as all of them.")
    parser.add_argument("callers", nargs="*", help="for example: nobody, 'a key', 'a member', 'a kiosk'")
    parser.add_argument("--examples", type=int, default=FULL.examples, help="of each operation (default: %(default)s)")
    options = parser.parse_args()
    with small_shop() as (place, its):
        for who, came in generated(place, its, Effort(options.examples, seed=SEED), options.callers):
            told = {"caller": who.name, "operations": came.operations, "asked": came.asked, "wrong": dict(came.wrong)}
            seldom = {f"asked less than {options.examples} times": came.seldom, "answered with 429": came.throttled}
            print(json.dumps(told | seldom), flush=True)
