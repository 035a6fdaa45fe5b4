"""Everything that the api, the worker and the command line share, put together once from the settings."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import httpx
import numpy as np
import structlog

from api.access import AccessTokens, RateLimit
from api.auth import Once, WidgetTokens
from api.bus import DisplayBus, LocalBus, RedisBus
from api.errors import ProblemError
from api.image_model import HttpBackgrounds
from api.metrics import Metrics
from api.services.connectors.facts import Facts
from api.services.connectors.salesforce import Login
from api.services.connectors.telling import tellers
from api.services.drafts import Drafts
from api.services.targets import Outside
from api.services.webhooks import Teller
from api.settings import Settings
from api.stream import EventStream, transport
from api.talk import LocalTalk, RedisTalk, TalkBus
from chatbot.language_model import LanguageModel, LanguageModelClient
from chatbot.voice import voice_of
from personalization import artifacts, display
from personalization.core import Core, CoreDependencies
from personalization.coupons.allocator import DualAllocator
from personalization.coupons.commitment import Rules
from personalization.coupons.fraud import Watch
from personalization.coupons.planning import Loops
from personalization.coupons.prior import PriorResponse
from personalization.coupons.response import ResponseModel
from personalization.creative.backgrounds import BackgroundSource
from personalization.creative.brand import BrandKit, load_brand
from personalization.creative.loop import CreativeLoop
from personalization.creative.provenance import Signer, load_signer
from personalization.creative.studio import Studio
from personalization.creative.variants import Audience
from personalization.ports import CandidateSource, Showing
from personalization.profiling.churn.labels import ChurnLabels
from personalization.profiling.drift import Drift, measure
from personalization.profiling.labeller import Labeller
from personalization.profiling.labels import LabelSource, RuleLabels, ToldLabels, load_rules
from personalization.profiling.living import LivingProfiler
from personalization.profiling.segments import SegmentLabels
from personalization.profiling.spending import SpendingLabels
from personalization.profiling.uplift import ActionLabels, UpliftModel
from personalization.ranking.index import UntrainedSearch
from personalization.ranking.promoted import PromotionSource
from personalization.ranking.ranker import EnsembleRanker
from personalization.ranking.shopper import Shoppers
from personalization.ranking.sources import SearchSource, SimilarSource, shopper_sources
from personalization.ranking.together import TogetherSource
from personalization.trust.retention import Schedule, read_schedule
from personalization.types import Channel, Context, Fallback, Product, ProductId
from stores.affect import SqlMemberAffect
from stores.allotments import SqlCouponRecords, SqlPacing
from stores.attachments import SqlAttachments
from stores.audit import SqlAudit
from stores.baskets import SqlBaskets
from stores.campaigns import SqlCampaigns
from stores.catalogue import SqlCatalogue
from stores.consents import SqlConsents
from stores.conversations import SqlConversations
from stores.creative_drafts import SqlCreativeDrafts, SqlCreativePictures
from stores.creative_placing import SqlPlacer
from stores.creatives import SqlCreativeCampaigns
from stores.crypto import KeyRing, decode_keys, keys_of_command, load_or_create_master_keys
from stores.database import Database
from stores.decisions import SqlCreatives, SqlDecisions, SqlExposures, SqlResponses
from stores.display_policies import SqlDisplayPolicies
from stores.erasure import replay_erasures
from stores.events import SqlEvents
from stores.experiments import SqlExperiments
from stores.file_cache import FileCache
from stores.films import SqlFilms
from stores.groups import SqlFairPrices
from stores.handoffs import SqlHandoffs
from stores.keys import SqlKeys
from stores.kiosks import SqlKiosks, SqlLinkCodes
from stores.labels import SqlLabels
from stores.ledger import SqlLedger
from stores.members import SqlMembers
from stores.merges import SqlMerges
from stores.plays import SqlPlays
from stores.profiles import SqlProfiles
from stores.promotions import SqlPromotions
from stores.purchases import SqlPurchases, SqlTrainingSource
from stores.replies import SqlReplies
from stores.staff import SqlStaff
from stores.switches import SqlSwitches
from stores.templates import SqlTemplates
from stores.variety import SqlVariety
from stores.webhooks import SqlWebhooks

log = structlog.get_logger(__name__)
CHAT_BURST, CHAT_PER_S = 40.0, 5.0
TOKENS_BURST, TOKENS_PER_S = 30.0, 0.5
DRIFT_SAMPLE = 2_000


def master_keys(settings: Settings) -> list[bytes]:
    """Return the master keys, newest first: of the settings, of the command that they name, or of the state folder."""
    given, command = settings.master_key.get_secret_value(), settings.master_key_command
    if given:
        return decode_keys(given)
    return keys_of_command(command) if command else load_or_create_master_keys(master_key_file(settings))


def master_key_file(settings: Settings) -> Path:
    """Return where the master keys lie if neither the settings nor a command tell them."""
    return settings.state_dir / "keys" / "master.key"


def audit_head(settings: Settings) -> Path:
    """Return the file that the audit log's last line is noted in."""
    return settings.state_dir / "audit.head"


def open_database(settings: Settings) -> Database:
    """Return the database of the settings, its schema up to date."""
    journal = settings.erasure_journal or settings.state_dir / "erasures"
    db = Database(settings.resolved_database_url, KeyRing(lambda: master_keys(settings)), journal=journal)
    db.upgrade()
    return db


@dataclass
class Services:
    """The parts, by name. Close with `close()`."""

    settings: Settings
    db: Database

    def __post_init__(self) -> None:
        """Make what holds no resources yet."""
        db = self.db
        db.engine.hide_parameters = True  # an error's text goes to the log, and must not take a shopper's words along
        self.catalogue, self.purchases, self.consents = SqlCatalogue(db), SqlPurchases(db), SqlConsents(db)
        self.metrics = Metrics()
        self.campaigns, self.decisions = SqlCampaigns(db), SqlDecisions(db)
        self.ledger, self.baskets = SqlLedger(db, self.metrics.count_refusal), SqlBaskets(db)
        self.creatives, self.responses, self.members = SqlCreatives(db), SqlResponses(db), SqlMembers(db)
        self.merges = SqlMerges(db)
        self.events, self.conversations, self.kiosks = SqlEvents(db), SqlConversations(db), SqlKiosks(db)
        self.attachments, self.plays = SqlAttachments(db), SqlPlays(db)
        self.switches, self.staff = SqlSwitches(db), SqlStaff(db)
        self.templates, self.link_codes, self.keys = SqlTemplates(db), SqlLinkCodes(db), SqlKeys(db)
        self.experiments, self.promotions = SqlExperiments(db), SqlPromotions(db)
        self.films, self.replies, self.webhooks = SqlFilms(db), SqlReplies(db), SqlWebhooks(db)
        self.creative_pictures, self.creative_drafts = SqlCreativePictures(db), SqlCreativeDrafts(db)
        self.pacing = SqlPacing(db, self.catalogue)
        self.creative_campaigns, self.placer = SqlCreativeCampaigns(db), SqlPlacer(db, np.random.default_rng())
        self.variety = SqlVariety(db)
        self.fraud, self.audit = Watch(), SqlAudit(db, audit_head(self.settings))
        self.rate_limit = RateLimit(CHAT_BURST, CHAT_PER_S, name="visitor")
        self.key_limit = RateLimit(self.settings.api_burst, self.settings.api_per_s, name="key")
        self.token_limit = RateLimit(TOKENS_BURST, TOKENS_PER_S, name="token")
        self.enrolment_limit, self.observed = RateLimit(8, 0.05, name="enrolment"), Once()
        policy = self.settings.display_policy
        self.display_policy = display.read(policy) if policy else display.shipped()
        self.display_policies = SqlDisplayPolicies(db)
        self.bus: DisplayBus = RedisBus(self.settings.redis_url) if self.settings.redis_url else LocalBus()
        self.talk: TalkBus = RedisTalk(self.settings.redis_url) if self.settings.redis_url else LocalTalk()
        self.handoffs, self.member_affect = SqlHandoffs(db), SqlMemberAffect(db)
        self.voice = voice_of(self.settings.voice_dir, self.settings.served_languages)
        self.artifacts = self._load_artifacts()
        self.labels = SqlLabels(db)
        self.profiles = SqlProfiles(db, self.catalogue.facts, self._labeller())
        version = f"living-{self.artifacts.version if self.artifacts else 'untrained'}"
        self.profiler = LivingProfiler(self.profiles, self.labels, self.settings.currency, version)
        self.core_dependencies = self._core_dependencies()
        self.core = Core(self.core_dependencies)

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
        return read_schedule(names, self.settings.retention_file)

    @cached_property
    def tokens(self) -> WidgetTokens:
        """Widget tokens, signed with a key that follows from the master key; those of the key before it still count."""
        return WidgetTokens(*(_derived(key, "widget-tokens") for key in master_keys(self.settings)))

    @cached_property
    def access(self) -> AccessTokens:
        """API keys, and the access tokens that they are exchanged for."""
        return AccessTokens(self.keys, *(_derived(key, "access-tokens") for key in master_keys(self.settings)))

    def caller(self, authorization: str) -> str | None:
        """Return a name for whoever sends this `Authorization` header, which cannot be guessed without the master key; None when it does not work."""
        kind, _, secret = authorization.partition(" ")
        if kind.lower() != "bearer":
            return None
        key = self.access.find(secret.strip())
        if key is not None:
            who = None if key.revoked else f"key {key.key_id}"
        else:
            try:
                who = f"visitor {self.tokens.read(secret.strip()).visitor_id}"
            except ProblemError:
                who = None
        return who and hmac.new(self._callers, who.encode(), hashlib.sha256).hexdigest()

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

    @cached_property
    def http(self) -> httpx.AsyncClient:
        """The client that talks to Rasa."""
        return httpx.AsyncClient(limits=httpx.Limits(max_connections=64, max_keepalive_connections=32))

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
        self.outside.close()
        if self.stream is not None:
            self.stream.close()
        self.db.dispose()

    def _load_artifacts(self) -> artifacts.Artifacts | None:
        try:
            found = artifacts.load(self.artifacts_dir)
        except artifacts.ArtifactError as error:
            log.warning("serving without trained artifacts", reason=str(error))
            return None
        for part, reason in found.broken.items():
            log.warning("serving without a part of the trained artifacts; run `aisle train`", part=part, reason=reason)
        return found

    @property
    def uplift_path(self) -> Path:
        """Where `aisle uplift` leaves its model: beside the artifacts, since training does not make it."""
        return self.settings.state_dir / "uplift.json"

    def _load_uplift(self) -> UpliftModel | None:
        try:
            return UpliftModel.from_json(self.uplift_path.read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("no actions are suggested: the uplift model cannot be used", reason=str(error))
            return None

    def _labeller(self) -> Labeller:
        def failed(source: str) -> None:
            self.metrics.count_fallback(Fallback(f"labels {source}", "the other labels", "failed"))

        learned: list[LabelSource] = []
        if self.artifacts is not None:
            learned = [SegmentLabels(self.artifacts.segments)]
            if self.artifacts.churn is not None:
                learned.append(ChurnLabels(self.artifacts.churn))
            if self.artifacts.spending is not None:
                learned.append(SpendingLabels(self.artifacts.spending, self.settings.currency))
        if (uplift := self._load_uplift()) is not None:
            learned.append(ActionLabels(uplift))
        return Labeller([RuleLabels(load_rules()), ToldLabels(), *learned], failed)

    def pace(self, *, now: datetime) -> int:
        """Take the control loops of the running campaigns up to `now`; return how many allotments were read."""
        return self._loops.advance(now=now)

    @cached_property
    def creative_loop(self) -> CreativeLoop:
        """What learns which creatives do well; the worker's alone."""
        return CreativeLoop(self.creative_campaigns, np.random.default_rng())

    @cached_property
    def _loops(self) -> Loops:
        return Loops(self.pacing, self._response, margin_share=self.settings.margin_share)

    @property
    def _response(self) -> ResponseModel:
        return ResponseModel(PriorResponse()) if self.artifacts is None else self.artifacts.response

    def _allocator(self) -> DualAllocator:
        category_of: dict[str, str] = {}
        if self.artifacts is not None:
            items = self.artifacts.items
            category_of = dict(zip(map(str, items.product_ids), items.categories[items.category].tolist(), strict=True))
        self._response.load()
        return DualAllocator(
            self._response, self.pacing, SqlCouponRecords(self.db), rng=np.random.default_rng(), category_of=category_of,
            margin_share=self.settings.margin_share, explored=self.settings.coupons_explored,
            rules=Rules() if self.settings.coupons_commitment else None, fair=SqlFairPrices(self.db),
        )  # fmt: skip

    @cached_property
    def brand(self) -> BrandKit:
        """The brand kit that creatives keep to: the operator's file, else name and hue alone."""
        if self.settings.brand_kit is not None:
            return load_brand(self.settings.brand_kit)
        return BrandKit(self.settings.retailer, self.settings.brand_hue)

    @cached_property
    def studio(self) -> Studio:
        """What makes posters; each file says where it comes from."""
        return Studio(self.brand, place=self._placed, texts=self.drafts.written, picture=self.drafts.picture)

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

    @cached_property
    def creative_files(self) -> FileCache:
        """Creatives that were drawn."""
        return FileCache(self.settings.state_dir / "creatives", self.settings.creative_cache_mb * 1_000_000)

    def _placed(self, context: Context, product: Product, showing: Showing) -> Mapping[str, str] | None:
        """Place a variant of the product's campaign, if one runs, for who asked."""
        campaign = self.placer.for_product(product.product_id, at=context.at)
        if campaign is None:
            return None
        mood = "" if context.affect is None else "distressed" if context.affect.valence < -0.3 else "fine"
        audience = Audience(showing.segment, context.channel.value, mood, product.category)
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
        trained = self.artifacts
        sources: list[CandidateSource] = [UntrainedSearch(SqlTrainingSource(self.db).products)]
        ranker, broken = None, {}
        if trained is not None:
            names = {"ranking": "ranking", "sentences": "similar"}
            broken = {names[part]: reason for part, reason in trained.broken.items() if part in names}
            shoppers = Shoppers(trained.items)
            sources = [
                *shopper_sources(trained.items, shoppers),
                SearchSource(trained.items.product_ids, trained.search_terms, trained.search_matrix),
                PromotionSource(trained.items, shoppers, self.promotions),
                TogetherSource(trained.items, shoppers, trained.rules["rules"]),
            ]
            if trained.sentences is not None:
                sources.append(SimilarSource(trained.items, trained.sentences))
            trained.ranking.warm_up()
            ranker = EnsembleRanker(
                trained.items,
                shoppers,
                trained.ranking,
                self.responses,
                version=trained.version,
                budget_ms=self.settings.ranking_budget_ms,
            )
        return CoreDependencies(
            catalogue=self.catalogue, purchases=self.purchases, consents=self.consents, campaigns=self.campaigns, ledger=self.ledger,
            decisions=self.decisions, sources=sources, profiler=self.profiler, experiments=self.experiments,
            exposures=SqlExposures(self.db), pressure=self.variety, coupons_a_week=self.settings.coupons_a_week, ranker=ranker, allocator=self._allocator(),
            creative=self.studio, popular=self.popular_products,
            on_fallback=self.metrics.count_fallback, broken=broken,
        )  # fmt: skip


def _derived(key: bytes, purpose: str) -> bytes:
    return hmac.new(key, purpose.encode(), hashlib.sha256).digest()


def build_services(settings: Settings) -> Services:
    """Open the database, erase again whom a restored backup brought back, and put everything together."""
    db = open_database(settings)
    if again := replay_erasures(db, at=datetime.now(UTC)):
        log.warning("a restored database knew erased people; they were erased again", erasures=len(again))
    return Services(settings, db)
