"""Tables of what people plan at the console: campaigns on paper, how they were paced, simulations, versions of the tuning."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Float, ForeignKey, Index, Integer, String, Table

from personalization.experiments.spec import METRICS
from stores.tables import AMOUNT, ID, KEY, UtcDateTime, metadata

campaign_plans = Table(
    "campaign_plans",
    metadata,
    Column("campaign_id", KEY, primary_key=True),
    Column("body", JSON, nullable=False),
    Column("state", String(8), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("author", String(120), nullable=False),
    Column("authors", JSON, nullable=False),  # ids of all who wrote what stands: none of them is its second person
    Column("approved_by", String(120)),
    Column("history", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index(None, "created_at", "campaign_id"),
)
campaign_lists = Table(
    "campaign_lists",
    metadata,
    Column("campaign_id", KEY, ForeignKey("campaign_plans.campaign_id"), primary_key=True),
    Column("member_id", ID, primary_key=True, index=True),
)
pacing_points = Table(
    "pacing_points",
    metadata,
    Column("campaign_id", KEY, primary_key=True),
    Column("at", UtcDateTime, primary_key=True),  # the start of its five minutes
    Column("price", Float, nullable=False),
    Column("spent", AMOUNT, nullable=False),
    Column("reserved", AMOUNT, nullable=False),
)
simulations = Table(
    "simulations",
    metadata,
    Column("simulation_id", ID, primary_key=True),
    Column("campaign_id", KEY, nullable=False, index=True),
    Column("version", Integer, nullable=False),  # of the plan
    Column("state", String(8), nullable=False),
    Column("progress", Float, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("result", JSON),
    Column("reason", String(400), nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)
tunings = Table(
    "tunings",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("base", Integer, nullable=False),  # the version that it was made from
    Column("body", JSON, nullable=False),
    Column("note", String(200), nullable=False),
    Column("state", String(8), nullable=False),
    Column("author", String(120), nullable=False),
    Column("author_id", String(120), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("decided_by", String(120)),
    Column("decided_by_id", String(120)),
    Column("decided_at", UtcDateTime),
    Column("restored", Integer),  # the version whose values these are again
)
experiment_units = Table(  # outcomes of large experiments, as they were last gathered
    "experiment_units",
    metadata,
    Column("experiment_id", KEY, ForeignKey("experiments.experiment_id"), primary_key=True),
    Column("unit_id", ID, primary_key=True, index=True),
    Column("arm", KEY, nullable=False),
    Column("at_us", AMOUNT, nullable=False),  # microseconds since 1970: read by the ten thousand
    *(Column(name, AMOUNT, nullable=False) for name in (*METRICS, "spend_before", "orders_before")),
    Column("member", Integer, nullable=False, server_default="1"),  # 0: a visitor, whose orders nobody knows
    sqlite_with_rowid=False,  # an experiment's rows lie together: reading them takes two thirds of the time
)
experiment_gatherings = Table(
    "experiment_gatherings",
    metadata,
    Column("experiment_id", KEY, ForeignKey("experiments.experiment_id"), primary_key=True),
    Column("token", ID, nullable=False),  # whoever gathers writes only while it is theirs
    Column("gathered_at", UtcDateTime),  # NULL: never yet
    Column("took_ms", Integer, nullable=False),
    Column("began_at", UtcDateTime),  # NULL: nobody gathers
)
experiment_leavers = Table(  # whom a gathering must not keep: they left after it had read what they did
    "experiment_leavers",
    metadata,
    Column("token", ID, primary_key=True),  # the gathering's; its rows go with its end
    Column("leaver", String(64), primary_key=True),  # a hash of token and unit
)
