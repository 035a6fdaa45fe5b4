"""campaigns of creatives: variants, approvals, shares, placements and the model."""

import sqlalchemy as sa
from alembic import op

from stores.creative_tables import AUDIENCE
from stores.tables import AMOUNT, ID, KEY, UtcDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go forward."""
    op.create_table(
        "creative_campaigns",
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("product_id", KEY, nullable=False),
        sa.Column("objective", sa.String(length=11), nullable=False),
        sa.Column("mode", sa.String(length=9), nullable=False),
        sa.Column("limits", sa.JSON(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("placed", AMOUNT, nullable=False),
        sa.Column("explored", AMOUNT, nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_creative_campaigns")),
        sa.CheckConstraint("objective IN ('clicks', 'conversions')", name=op.f("ck_creative_campaigns_objective")),
        sa.CheckConstraint("mode IN ('each', 'family', 'automatic')", name=op.f("ck_creative_campaigns_mode")),
        sa.CheckConstraint("explored >= 0 AND explored <= placed", name=op.f("ck_creative_campaigns_explored")),
    )
    op.create_index(op.f("ix_creative_campaigns_product_id"), "creative_campaigns", ["product_id"])
    op.create_table(
        "creative_variants",
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("variant_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=200), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("measures", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("shown", AMOUNT, nullable=False),
        sa.Column("clicked", AMOUNT, nullable=False),
        sa.Column("converted", AMOUNT, nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "variant_id", name=op.f("pk_creative_variants")),
        sa.CheckConstraint(
            "state IN ('proposed', 'approved', 'rejected', 'retired')", name=op.f("ck_creative_variants_state")
        ),
    )
    op.create_index(op.f("ix_creative_variants_variant_id"), "creative_variants", ["variant_id"])
    op.create_table(
        "creative_approvals",
        sa.Column("seq", AMOUNT, autoincrement=True, nullable=False),
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("of_family", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("note", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_creative_approvals")),
    )
    op.create_index(op.f("ix_creative_approvals_campaign_id_seq"), "creative_approvals", ["campaign_id", "seq"])
    op.create_table(
        "creative_sets",
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("audience", AUDIENCE, nullable=False),
        sa.Column("shares", sa.JSON(), nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("campaign_id", "audience", name=op.f("pk_creative_sets")),
    )
    op.create_table(
        "creative_placements",
        sa.Column("seq", AMOUNT, autoincrement=True, nullable=False),
        sa.Column("decision_id", ID, nullable=True),
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("audience", AUDIENCE, nullable=False),
        sa.Column("member_id", ID, nullable=True),
        sa.Column("visitor_id", ID, nullable=True),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("variant_id", KEY, nullable=False),
        sa.Column("variant_ids", sa.JSON(), nullable=False),
        sa.Column("shares", sa.JSON(), nullable=False),
        sa.Column("propensity", sa.Float(), nullable=False),
        sa.Column("explored", sa.Boolean(), nullable=False),
        sa.Column("capped", sa.Boolean(), nullable=False),
        sa.Column("viewed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_creative_placements")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_creative_placements_decision_id")),
    )
    for columns in (["campaign_id", "seq"], ["member_id", "at"], ["visitor_id", "at"]):
        op.create_index(op.f(f"ix_creative_placements_{'_'.join(columns)}"), "creative_placements", columns)
    op.create_table(
        "creative_credits",
        sa.Column("seq", AMOUNT, autoincrement=True, nullable=False),
        sa.Column("placement", AMOUNT, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_creative_credits")),
        sa.UniqueConstraint("placement", "kind", name=op.f("uq_creative_credits_placement_kind")),
        sa.CheckConstraint("kind IN ('click', 'conversion')", name=op.f("ck_creative_credits_kind")),
    )
    op.create_table(
        "creative_models",
        sa.Column("name", KEY, nullable=False),
        sa.Column("clicks", sa.LargeBinary(), nullable=False),
        sa.Column("conversions", sa.LargeBinary(), nullable=False),
        sa.Column("seq", AMOUNT, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_creative_models")),
    )


def downgrade() -> None:
    """Go back."""
    for table in (
        "creative_models", "creative_credits", "creative_placements", "creative_sets", "creative_approvals", "creative_variants",
        "creative_campaigns",
    ):  # fmt: skip
        op.drop_table(table)
