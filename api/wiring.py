"""Everything that the api, the worker and the command line share, put together once from the settings."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import structlog
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from api import trained
from api.access import AccessTokens, RateLimit, basic_user
from api.auth import SCOPES, Once
from api.bus import DisplayBus, LocalBus, RedisBus
from api.errors import ProblemError
from api.glance import Glance
from api.guesses import GUESSES, GUESSES_PER_S, Guesses
from api.idempotency import Caller
from api.image_model import HttpBackgrounds
from api.metrics import Metrics
from api.oidc import Oidc, Provider, mapped
from api.opening import audit_head, master_keys, open_database
from api.passkeys import Passkeys
from api.records import Records
from api.services.brands import Brands
from api.services.connectors.facts import Facts
from api.services.connectors.salesforce import Login
from api.services.connectors.telling import tellers
from api.services.drafts import Drafts
from api.services.measured import Measured
from api.services.targets import Outside
from api.services.webhooks import Teller
from api.sessions import find as find_session
from api.sessions import own_page
from api.settings import Settings
from api.shoppers import ShopperSessions, WidgetTokens
from api.stream import EventStream, transport
from api.talk import LocalTalk, RedisTalk, TalkBus
from chatbot.language_model import LanguageModel, LanguageModelClient
from chatbot.voice import voice_of
from personalization import display
from personalization.core import Core
from personalization.coupons.allocator import DualAllocator
from personalization.coupons.commitment import Rules
from personalization.coupons.fraud import Watch
from personalization.coupons.planning import Loops
from personalization.coupons.prior import PriorResponse
from personalization.coupons.response import ResponseModel
from personalization.creative.backgrounds import BackgroundSource
from personalization.creative.brand import BrandKit
from personalization.creative.loop import CreativeLoop
from personalization.creative.provenance import Signer, load_signer
from personalization.creative.studio import Studio
from personalization.creative.variants import Audience, mood_of
from personalization.deciding.dependencies import CoreDependencies
from personalization.decisions import Fallback
from personalization.ports import CandidateSource, Showing
from personalization.profiling.drift import Drift, measure
from personalization.profiling.labeller import Labeller
from personalization.profiling.living import LivingProfiler
from personalization.profiling.segments import SegmentModel
from personalization.ranking.index import UntrainedSearch
from personalization.ranking.shopper import Shoppers
from personalization.trust.retention import Schedule, read_schedule
from personalization.types import Channel, Context, Product, ProductId
from stores.allotments import SqlCouponRecords
from stores.audit import SqlAudit
from stores.database import Database
from stores.decisions import SqlExposures
from stores.erasure import replay_erasures
from stores.experiment_units import SqlExperimentUnits
from stores.file_cache import FileCache
from stores.groups import SqlFairPrices
from stores.profiles import SqlProfiles
from stores.purchases import SqlTrainingSource
from stores.staff_sessions import SqlStaffSessions

log = structlog.get_logger(__name__)
DRIFT_SAMPLE = 2_000


class Services(Records):
    """The parts, by name. Close with `close()`."""

    def __init__(self, settings: Settings, db: Database) -> None:
        """Make what holds no resources yet."""
        self.settings, self.db, self.metrics = settings, db, Metrics()
        db.engine.hide_parameters = True  # an error's text goes to the log, and must not take a shopper's words along
        super().__init__(db, self.metrics.count_refusal)
        self.creative_files = FileCache(settings.state_dir / "creatives", settings.creative_cache_mb * 1_000_000)
        self.fraud, self.audit = Watch(), SqlAudit(db, audit_head(settings))
        self._sign_in()
        self._limits()
        policy = settings.display_policy
        self.display_policy = display.read(policy) if policy else display.shipped()
        self.bus: DisplayBus = RedisBus(settings.redis_url) if settings.redis_url else LocalBus()
        self.talk: TalkBus = RedisTalk(settings.redis_url) if settings.redis_url else LocalTalk()
        self.voice, self.glance = voice_of(settings.voice_dir, settings.served_languages), Glance()
        self.artifacts = trained.load(self.artifacts_dir)
        plane = SegmentModel(self.artifacts.segments).plane if self.artifacts is not None else None
        self.profiles = SqlProfiles(db, self.catalogue.facts, self._labeller(), plane)
        version = f"living-{self.artifacts.version if self.artifacts else 'untrained'}"
        self.profiler = LivingProfiler(self.profiles, self.labels, settings.currency, version)
        self.core_dependencies = self._core_dependencies()
        self.core = Core(self.core_dependencies)

    def _sign_in(self) -> None:
        """Make what people of the staff sign in by."""
        self.demo_staff: dict[str, str] = {}  # passwords of a demo's accounts, once these are there
        self.scopes = SCOPES
        idle, longest = (
            timedelta(hours=hours) for hours in (self.settings.session_idle_hours, self.settings.session_hours)
        )
        self.sessions = SqlStaffSessions(self.db, idle=idle, longest=longest)
        url, shop = self.settings.resolved_public_url, self.settings.retailer
        self.passkey_ceremonies = Passkeys(self.passkeys, self.ceremonies, url, shop)

    def _limits(self) -> None:
        """Make what slows down who asks too often."""
        given = self.settings
        self.rate_limit = RateLimit(given.visitor_burst, given.visitor_per_s, name="visitor")
        self.key_limit = RateLimit(given.api_burst, given.api_per_s, name="key")
        self.token_limit = RateLimit(given.token_burst, given.token_per_s, name="token")
        self.ceremony_limit = RateLimit(given.sign_in_burst, given.sign_in_per_s, name="sign-in")
        self.guesses = Guesses(RateLimit(GUESSES, GUESSES_PER_S, name="attempts"))
        self.enrolment_limit, self.observed = RateLimit(8, 0.05, name="enrolment"), Once()

    @property
    def artifacts_dir(self) -> Path:
        """Where training leaves its result."""
        return self.settings.state_dir / "artifacts"

    @property
    def models_dir(self) -> Path:
        """Where `aisle models pull` leaves the models."""
        return self.settings.state_dir / "models"

    @cached_property
    def schedule(self) -> Schedule:
        """How long what may be kept, by the laws that the settings name."""
        names = [name.strip() for name in self.settings.jurisdictions.split(",") if name.strip()]
        return read_schedule(names, self.settings.retention_file, files_days=self.settings.chat_files_days)

    @cached_property
    def tokens(self) -> WidgetTokens:
        """Widget tokens, signed with a key that follows from the master key; those of the key before it still count."""
        return WidgetTokens(*(_derived(key, "widget-tokens") for key in master_keys(self.settings)))

    @cached_property
    def shoppers(self) -> ShopperSessions:
        """Shoppers' sessions, by which widget tokens count."""
        return ShopperSessions(self.tokens, self.widget_sessions, timedelta(hours=self.settings.widget_session_hours))

    @cached_property
    def access(self) -> AccessTokens:
        """API keys, and the access tokens that they are exchanged for."""
        return AccessTokens(self.keys, *(_derived(key, "access-tokens") for key in master_keys(self.settings)))

    def caller(self, scope: Scope) -> Caller | None:
        """Return who sends a request, by a name that cannot be guessed without the master key; None when nobody who is let in does."""
        headers = Headers(scope=scope)
        kind, _, secret = headers.get("authorization", "").partition(" ")
        if not kind:
            return self._signed_in(scope["method"], headers)
        secret = basic_user(secret) if kind.lower() == "basic" else secret.strip()  # as Segment's libraries send a key
        if kind.lower() not in {"bearer", "basic"} or self.guesses.waits(HTTPConnection(scope), secret):
            return None
        key = self.access.find(secret)
        if key is not None:
            return None if key.revoked else self._called(f"key {key.key_id}", key.key_id, self.key_limit)
        try:
            shopper = self.shoppers.find(secret.strip())[0]
        except ProblemError:
            return None
        people = tuple(filter(None, (shopper.visitor_id, shopper.member_id)))
        return self._called(f"visitor {shopper.visitor_id}", shopper.visitor_id, self.rate_limit, people)

    def _signed_in(self, method: str, headers: Headers) -> Caller | None:
        if not own_page(method, headers, self.settings.resolved_public_url):
            return None
        found = find_session(self.sessions, headers, SCOPES, self.settings.resolved_public_url)
        return None if found is None else self._called(found.key.key_id, found.key.key_id, self.key_limit)

    def _called(self, name: str, who: str, limit: RateLimit, people: tuple[str, ...] = ()) -> Caller:
        return Caller(hmac.new(self._callers, name.encode(), hashlib.sha256).hexdigest(), who, limit, people)

    @cached_property
    def _callers(self) -> bytes:
        return _derived(master_keys(self.settings)[-1], "callers")

    @cached_property
    def action_token(self) -> str:
        """The secret that Rasa shows at the action endpoint."""
        return (
            self.settings.action_token.get_secret_value()
            or _derived(master_keys(self.settings)[-1], "rasa-actions").hex()
        )

    def demo_password(self, role: str) -> str:
        """Return the password of a demo's account."""
        return "demo-" + _derived(master_keys(self.settings)[-1], f"demo account {role}").hex()[:14]

    @cached_property
    def http(self) -> httpx.AsyncClient:
        """The client that talks to Rasa."""
        limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
        return httpx.AsyncClient(limits=limits, verify=_trusted())

    @cached_property
    def outside(self) -> Outside:
        """What sends requests to addresses that others have chosen."""
        return Outside(self.settings.private_hosts)

    @cached_property
    def tellers(self) -> dict[str, Teller]:
        """What tells each kind of webhook endpoint."""
        facts = Facts(self.members, self.labels)
        return tellers(self.outside, self.salesforce_login, facts, self.settings.resolved_public_url)

    @cached_property
    def oidc(self) -> Oidc | None:
        """The company's own OpenID provider, where the settings name one."""
        given = self.settings
        if not given.oidc_issuer:
            return None
        secret, roles = given.oidc_client_secret.get_secret_value(), mapped(given.oidc_roles)
        return Oidc(Provider(given.oidc_issuer, given.oidc_client_id, secret, given.oidc_role_claim, roles))

    @cached_property
    def salesforce_login(self) -> Login:
        """The access tokens of Salesforce's endpoints."""
        return Login(self.outside)

    @cached_property
    def language_model(self) -> LanguageModel | None:
        """The language model, where the settings name one."""
        given = self.settings
        if not given.llm_url:
            return None
        client = LanguageModelClient(
            self.http,
            given.llm_url,
            given.llm_model,
            key=given.llm_key.get_secret_value(),
            timeout_s=given.llm_timeout_s,
        )
        return LanguageModel(client, self.voice, use=given.llm_use, send_personal=given.llm_send_personal)

    def popular_products(self) -> list[Product]:
        """Return what to show when nothing else can be: the trained favourites, else any products."""
        if self.artifacts is not None:
            items = self.artifacts.items
            best = [ProductId(str(items.product_ids[i])) for i in (-items.popularity).argsort()[:12]]
            found = self.catalogue.products(best)
            return [found[product_id] for product_id in best if product_id in found]
        return self.catalogue.first(12)

    @cached_property
    def stream(self) -> EventStream | None:
        """The broker in front of the log, where the settings name one."""
        return EventStream(transport(self.settings.broker_url)) if self.settings.broker_url else None

    def drift(self, *, now: datetime) -> Drift | None:
        """Return how far a sample of members is from those that segments were trained on; None where that says nothing."""
        if self.artifacts is None:
            return None
        members, model = self.profiles.sample(DRIFT_SAMPLE, now=now), self.artifacts.segments
        active = [member for member in members if member.features["orders"]]
        if not active:
            return None
        columns = {name: np.array([member.features[name] for member in active]) for name in active[0].features}
        shares = np.array([[member.shares.get(name, 0.0) for name in model["categories"]] for member in active])
        return measure(model, columns, shares)

    async def close(self) -> None:
        """Let go of connections."""
        if "http" in vars(self):  # which was asked for: to make one now takes longer than all the rest
            await self.http.aclose()
        if vars(self).get("oidc") is not None:
            vars(self)["oidc"].close()
        self.outside.close()
        if self.stream is not None:
            self.stream.close()
        self.db.dispose()

    @property
    def uplift_path(self) -> Path:
        """Where `aisle uplift` leaves its model: beside the artifacts, since training does not make it."""
        return self.settings.state_dir / "uplift.json"

    def _labeller(self) -> Labeller:
        def failed(source: str) -> None:
            self.metrics.count_fallback(Fallback(f"labels {source}", "the other labels", "failed"))

        return trained.labeller(self.artifacts, trained.uplift(self.uplift_path), self.settings.currency, failed)

    def pace(self, *, now: datetime) -> int:
        """Take the control loops of the running campaigns up to `now`; return how many allotments were read."""
        return self._loops.advance(now=now)

    @cached_property
    def creative_loop(self) -> CreativeLoop:
        """What learns which creatives do well; the worker's alone."""
        return CreativeLoop(self.creative_campaigns, np.random.default_rng())

    @cached_property
    def _loops(self) -> Loops:
        return Loops(self.pacing, self.response, margin_share=self.settings.margin_share)

    @property
    def response(self) -> ResponseModel:
        """How shoppers respond to discounts, as far as it was learned."""
        return ResponseModel(PriorResponse()) if self.artifacts is None else self.artifacts.response

    def cluster_names(self) -> dict[str, tuple[str, str]]:
        """Return the name and the description of each cluster that training found."""
        if self.artifacts is None:
            return {}
        return {
            str(one["segment_id"]): (str(one["name"]), str(one["description"]))
            for one in self.artifacts.segments["segments"]
        }

    @cached_property
    def category_of(self) -> Mapping[str, str]:
        """The categories of the products that training knows."""
        if self.artifacts is None:
            return {}
        items = self.artifacts.items
        return dict(zip(map(str, items.product_ids), items.categories[items.category].tolist(), strict=True))

    def allocator(self, rng: np.random.Generator, through: Callable[[Any], Any] = lambda store: store) -> DualAllocator:
        """Return what chooses coupons; it reads its stores through `through`."""
        self.response.load()
        return DualAllocator(
            self.response, through(self.pacing), through(SqlCouponRecords(self.db)), rng=rng, category_of=self.category_of,
            margin_share=self.settings.margin_share, explored=self.settings.coupons_explored,
            rules=Rules() if self.settings.coupons_commitment else None, fair=through(SqlFairPrices(self.db)),
        )  # fmt: skip

    @cached_property
    def measured(self) -> Measured:
        """What experiments' units did."""
        return Measured(self.experiments, self.experiment_units)

    @cached_property
    def experiment_units(self) -> SqlExperimentUnits:
        """What units of large experiments did, gathered ahead."""
        return SqlExperimentUnits(self.db, self.experiments)

    @cached_property
    def brands(self) -> Brands:
        """The brand kits that creatives keep to, and kept to before."""
        return Brands(self.brand_kits, self.settings)

    @property
    def brand(self) -> BrandKit:
        """The brand kit that counts now."""
        return self.brands.of()

    @cached_property
    def studio(self) -> Studio:
        """What makes posters; each file says where it comes from."""
        return Studio(
            self.brands.of, place=self._placed, texts=self.drafts.written, picture=self.drafts.picture,
            language=self.settings.served_languages[0],
        )  # fmt: skip

    @cached_property
    def painter(self) -> BackgroundSource | None:
        """The image model, where the settings name one."""
        given = self.settings
        if not given.image_url:
            return None
        return HttpBackgrounds(given.image_url, given.image_model, key=given.image_key.get_secret_value())

    @cached_property
    def drafts(self) -> Drafts:
        """What models wrote and painted for creatives."""
        writer = self.settings.llm_model if self.settings.llm_url else ""
        return Drafts(self.creative_drafts, self.creative_pictures, writer=writer, painter=self.painter)

    def _placed(self, context: Context, product: Product, showing: Showing) -> Mapping[str, str] | None:
        """Place a variant of the product's campaign, if one runs, for who asked."""
        campaign = self.placer.for_product(product.product_id, at=context.at, member_id=showing.subject.member_id)
        if campaign is None:
            return None
        audience = Audience(showing.segment, context.channel.value, mood_of(context.affect), product.category)
        placement = self.placer.place(
            campaign, audience, showing.subject, decision_id=showing.decision_id, at=context.at,
            one_person=showing.subject.member_id is not None or context.channel is not Channel.KIOSK,
        )  # fmt: skip
        if placement is None:
            return None
        return {**placement.variant.choices, "campaign_id": campaign, "variant_id": placement.variant.variant_id}

    @cached_property
    def signer(self) -> Signer:
        """The shop's certificate for content credentials, made at the first poster."""
        return load_signer(self.settings.state_dir / "keys", self.settings.retailer)

    def _core_dependencies(self) -> CoreDependencies:
        known, ranker, broken = self.artifacts, None, dict[str, str]()
        sources: list[CandidateSource] = [UntrainedSearch(SqlTrainingSource(self.db).products)]
        if known is not None:
            names = {"ranking": "ranking", "sentences": "similar"}
            broken = {names[part]: reason for part, reason in known.broken.items() if part in names}
            shoppers = Shoppers(known.items)
            sources = trained.sources(known, shoppers, self.promotions)
            known.ranking.warm_up()
            budget_ms = self.settings.ranking_budget_ms
            ranker = trained.ranker(known, shoppers, self.responses, budget_ms=budget_ms)
        return CoreDependencies(
            catalogue=self.catalogue, purchases=self.purchases, consents=self.consents, campaigns=self.campaigns, ledger=self.ledger,
            decisions=self.decisions, sources=sources, profiler=self.profiler, experiments=self.experiments, tunings=self.tunings,
            exposures=SqlExposures(self.db), pressure=self.variety, coupons_a_week=self.settings.coupons_a_week, ranker=ranker, allocator=self.allocator(np.random.default_rng()),
            creative=self.studio, popular=self.popular_products,
            on_fallback=self.metrics.count_fallback, broken=broken,
        )  # fmt: skip


@cache
def _trusted() -> ssl.SSLContext:
    """Return whose certificates count; they are read from their file once."""
    return httpx.create_ssl_context()


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.new(key, purpose.encode(), hashlib.sha256).digest()


def build_services(settings: Settings) -> Services:
    """Open the database, erase again whom a restored backup brought back, and put everything together."""
    db = open_database(settings)
    if again := replay_erasures(db, at=datetime.now(UTC)):
        log.warning("a restored database knew erased people; they were erased again", erasures=len(again))
    return Services(settings, db)
