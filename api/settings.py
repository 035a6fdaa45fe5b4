"""Every setting of Aisle, read from the environment with the prefix `AISLE_` and nowhere else."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Settings with their defaults; the table in docs/settings.md is generated from these fields."""

    model_config = SettingsConfigDict(env_prefix="AISLE_", env_file=".env", extra="ignore")

    state_dir: Path = Field(Path("var"), description="Folder for the database, models, artifacts and keys.")
    database_url: str = Field("", description="SQLAlchemy URL. Empty: SQLite in the state folder.")
    redis_url: str = Field("", description="Redis URL for display messages between api processes. Empty: in process.")
    broker_url: str = Field(
        "",
        description="redis:// or nats:// of a broker that takes events in front of the log. Empty: straight to the log.",
    )
    host: str = Field("127.0.0.1", description="Address that the api listens on.")
    port: int = Field(8080, description="Port that the api listens on.")
    public_url: str = Field("", description="Address that browsers use. Empty: http://HOST:PORT.")
    rasa_url: str = Field(
        "http://127.0.0.1:5005,http://127.0.0.1:5006",
        description="Where Rasa listens, on a private network. Of several, separated by commas, the next answers while one is away;"
        " `aisle up` starts those of this machine (about 330 MB each).",
    )
    rasa_timeout_s: float = Field(2.5, description="Longest wait for Rasa before the fallback answers.")
    action_token: SecretStr = Field(SecretStr(""), description="Secret that Rasa sends to the action endpoint.")
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="What Prometheus shows at `/metrics` as a bearer token. Empty: everybody who reaches the api may read them.",
    )
    master_key: SecretStr = Field(
        SecretStr(""),
        description="Base64 of 32 bytes; several, the newest first, separated by commas. Empty: var/keys/master.key, made at first start.",
    )
    master_key_command: str = Field(
        "", description="Command that prints the master keys, such as one that asks a KMS. Empty: none."
    )
    jurisdictions: str = Field(
        "gdpr,us-il,us-tx",
        description="Laws whose retention counts, by their names in the schedule; of several the shortest term (docs/privacy.md).",
    )
    retention_file: Path | None = Field(
        None, description="Schedule of retention, a file like `personalization/trust/retention.yml`. Empty: that one."
    )
    erasure_journal: Path | None = Field(
        None,
        description="Folder of the journal of erasures, to keep outside the database's backups. Empty: `erasures` in the state folder.",
    )
    vision_engine: Literal["opencv", "insightface"] = Field(
        "opencv", description="Face engine. insightface weights: research use only."
    )
    vision_pack: str = Field(
        "buffalo_l",
        description="insightface: a pack in var/models/models, a folder, or `sface` (free weights, with YuNet as detector).",
    )
    vision_match_threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Least cosine similarity of a face match. Empty: the engine's calibrated one (docs/vision.md).",
    )
    vision_liveness: Literal["none", "turn", "minifas"] = Field(
        "none",
        description="How a living face is told from a picture: not at all, by a turn of the head (experimental), or by MiniFASNet files of yours.",
    )
    vision_adaptive: bool = Field(
        True,
        description="Cameras may add templates to those that members enrolled, in stores that have switched adaptation on. False: nowhere.",
    )
    display_policy: Path | None = Field(
        None,
        description="File with the kiosks' display policy. Empty: the one that ships (personalization/display.yml).",
    )
    emotion_model: str = Field(
        "",
        description="Folder with an emotion model of your own (docs/models/emotion.md). Empty: the one that ships.",
    )
    ranking_budget_ms: float = Field(
        20.0,
        gt=0,
        description="Time that ranking may take; a stage that would come too late gives way to a cheaper one.",
    )
    margin_share: float = Field(
        0.3, ge=0, le=1, description="Share of a price that is margin, where the objective of a campaign asks."
    )
    coupons_explored: float = Field(
        0.02,
        ge=0,
        le=1,
        description="Share of coupon decisions that chance makes, so that their effect can be learned.",
    )
    coupons_a_week: int = Field(
        5, ge=0, description="Coupons that one shopper is given in seven days, on all channels together. 0: no limit."
    )
    campaign_second_person_minor: int = Field(
        50_000,
        ge=0,
        description="Budget of a campaign, in minor units, above which somebody who did not write it has to approve it.",
    )
    tuning_second_person: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Turn of a dial, as a share of its range, above which somebody else than its author has to apply it.",
    )
    coupons_commitment: bool = Field(
        True,
        description="No better coupon for who waits, and none beyond what was earned. It pays where many shoppers wait for coupons.",
    )
    retailer: str = Field("Fresh & Co", description="Name that shoppers see.")
    brand_hue: float = Field(155.0, description="The brand's hue in OKLCH degrees.")
    brand_kit: Path | None = Field(
        None, description="Brand kit of posters and films, a TOML file (docs/creative.md). Empty: name and hue alone."
    )
    currency: str = Field("USD", description="ISO 4217 code of imported prices.")
    store_hours: str = Field(
        "Monday to Saturday 7:00 to 22:00, Sunday 8:00 to 20:00", description="Answer to 'when are you open'."
    )
    shop_file: Path | None = Field(
        None,
        description="`shop.yml` with address, delivery, payment and return policy. Empty: the one in the state folder.",
    )
    order_policy: Path | None = Field(
        None, description="The order service's rules, a file like `chatbot/orders/policy.yml`. Empty: that one."
    )
    support_contact: str = Field("the service desk at the entrance", description="Whom a shopper can talk to.")
    support_target_s: int = Field(
        120,
        ge=1,
        le=86_400,
        description="How many seconds a shopper who asked for a person should wait at most; the inbox counts how often that holds.",
    )
    languages: str = Field(
        "en,de",
        description="Languages that the assistant serves, by their codes; the first is for whoever tells none. Each needs its files (docs/languages.md).",
    )
    voice_dir: Path | None = Field(
        None,
        description="Folder with an own `brand.yml`, and own responses in `en/*.yml`, `de/*.yml`. Empty: Aisle's voice.",
    )
    llm_url: str = Field(
        "",
        description="Base URL of an OpenAI-compatible endpoint, such as `http://127.0.0.1:8090/v1`. Empty: no language model.",
    )
    llm_key: SecretStr = Field(SecretStr(""), description="Key of that endpoint, where it wants one.")
    llm_model: str = Field("default", description="Model that it is asked for.")
    llm_timeout_s: float = Field(
        4.0, gt=0, description="Longest wait for its whole answer before the template is said."
    )
    llm_use: Literal["questions", "rephrase", "both"] = Field(
        "questions",
        description="What it may do: answer open product questions from catalogue facts, rephrase plain answers.",
    )
    llm_send_personal: bool = Field(
        False, description="Send messages as they are. False: e-mails, numbers, names and addresses are masked."
    )
    support_hours: str = Field(
        "",
        description="When staff answer chats, such as `Mon-Sat 8:00-20:00, Sun 10:00-18:00`. Empty: whenever one is there.",
    )
    agent_away_minutes: int = Field(
        10,
        ge=2,
        le=24 * 60,
        description="Minutes without a sign of life of an agent, after which the conversations they have go back into the queue, and the shoppers are told.",
    )
    queue_hours: int = Field(
        24,
        ge=1,
        le=24 * 90,
        description="Hours of a shopper's silence after which a wait for a person ends; left messages stay until somebody takes them.",
    )
    image_url: str = Field(
        "",
        description="Base URL of an OpenAI-compatible image endpoint that paints backgrounds of creatives. Empty: none.",
    )
    image_key: SecretStr = Field(SecretStr(""), description="Key of that endpoint, where it wants one.")
    image_model: str = Field("default", description="Image model that it is asked for.")
    creative_cache_mb: int = Field(
        300, ge=10, description="Most that drawn creatives may take on disk; who was asked for longest ago goes first."
    )
    chat_files: Literal["none", "pictures", "all"] = Field(
        "all", description="What shoppers may send in the chat: nothing, pictures, or pictures and PDF files."
    )
    chat_files_days: int = Field(30, ge=1, description="Days after which a file from the chat is deleted.")
    timezone: str = Field("UTC", description="Time zone of the support hours, such as `Europe/Berlin`.")
    high_value_minor: int = Field(
        30_000,
        ge=0,
        description="Expected spending, in minor units, from which a shopper is offered a person at the first message in a low mood: below the dial `people.mood` (docs/tuning.md).",
    )
    webhook_hosts: str = Field(
        "",
        description="Hosts, separated by commas, that webhooks may reach by http and at addresses that are not public, such as a CRM of your own network.",
    )
    oidc_issuer: str = Field(
        "", description="Issuer of the company's own OpenID provider, by https, for staff to sign in with. Empty: none."
    )
    oidc_client_id: str = Field("", description="What Aisle is called there.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Its secret there; empty for a public client.")
    oidc_name: str = Field("your company", description="What the button on the page for signing in calls it.")
    oidc_role_claim: str = Field("groups", description="Claim of the ID token that `AISLE_OIDC_ROLES` reads.")
    oidc_roles: str = Field(
        "",
        description="Roles by that claim's values, such as `shop-admins=admin,crm=marketer`; accounts are then made and changed at each sign-in."
        " Empty: only who has an account comes in, by a verified e-mail address.",
    )
    session_idle_hours: float = Field(
        8.0, gt=0, le=24, description="Hours without a request after which staff are signed out of the console."
    )
    session_hours: float = Field(
        24.0, gt=0, le=168, description="Hours after which they sign in again, whatever they did."
    )
    widget_session_hours: float = Field(
        24.0,
        gt=0,
        le=720,
        description="Hours for which a shopper's widget token can be renewed; then your server is asked for a new one.",
    )
    api_spare: bool = Field(
        True,
        description="`aisle up` keeps a second api ready, which takes over when the first breaks down (about 500 MB).",
    )
    api_burst: int = Field(
        2_000,
        ge=1,
        description="Requests that one API key may make at once (answers tell what is left as `RateLimit`).",
    )
    api_per_s: float = Field(200.0, gt=0, description="Requests per second that one API key may make in the long run.")
    visitor_burst: int = Field(
        40, ge=1, description="Requests that one visitor with a widget token may make at once, for all that they ask."
    )
    visitor_per_s: float = Field(
        5.0, gt=0, description="Requests per second that one visitor may make in the long run."
    )
    sign_in_burst: int = Field(
        40, ge=1, description="Sign-ins by passkey or the company's own sign-in that one address may begin at once."
    )
    sign_in_per_s: float = Field(0.5, gt=0, description="Such sign-ins per second in the long run.")
    token_burst: int = Field(30, ge=1, description="Access tokens that one API key may ask for at once.")
    token_per_s: float = Field(0.5, gt=0, description="Access tokens per second in the long run.")
    demo: bool = Field(False, description="Serve the demo shop page and its sign-in switch. Never in production.")
    worker: Literal["embedded", "external"] = Field("embedded", description="Run the worker inside the api, or alone.")
    log_format: Literal["console", "json"] = Field("console", description="How logs are written.")

    @property
    def served_languages(self) -> tuple[str, ...]:
        """The codes of the languages that are served, the default first."""
        return tuple(dict.fromkeys(code.strip().lower() for code in self.languages.split(",") if code.strip())) or (
            "en",
        )

    @property
    def private_hosts(self) -> frozenset[str]:
        """Hosts that webhooks may reach though they are not on the public internet."""
        return frozenset(host.strip().lower() for host in self.webhook_hosts.split(",") if host.strip())

    @property
    def resolved_database_url(self) -> str:
        """The database to use, with the embedded default filled in."""
        return self.database_url or f"sqlite:///{self.state_dir / 'aisle.db'}"

    @property
    def rasa_urls(self) -> list[str]:
        """The addresses of Rasa, the one to ask first in front."""
        return [url.strip().rstrip("/") for url in self.rasa_url.split(",") if url.strip()]

    @property
    def resolved_public_url(self) -> str:
        """The address that browsers use."""
        return self.public_url or f"http://{self.host}:{self.port}"

    def kiosk_page(self, name: str, key: str, *, camera: bool = False) -> str:
        """Return the address of a kiosk's page. Its device key comes after `#`: browsers send that to nobody, so no log holds it."""
        return f"{self.resolved_public_url}/kiosk/{name}{'?camera=on' if camera else ''}#key={key}"


@lru_cache
def settings() -> Settings:
    """Return the process's settings, read once."""
    return Settings()
