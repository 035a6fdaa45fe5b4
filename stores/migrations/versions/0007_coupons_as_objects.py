"""coupons as objects: terms, redemptions, caps within budgets, limits per member and household."""

import sqlalchemy as sa
from alembic import op

from stores.tables import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

AMOUNT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STANDING = sa.text("rolled_back_at IS NULL")


def upgrade() -> None:
    """Go forward."""
    with op.batch_alter_table("coupons", schema=None) as batch_op:
        batch_op.add_column(sa.Column("terms", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("caps", sa.JSON(), nullable=True))
        batch_op.drop_constraint(batch_op.f("fk_coupons_campaign_id_budgets"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_coupons_campaign_id_campaigns"), "campaigns", ["campaign_id"], ["campaign_id"]
        )

    op.create_table(
        "redemptions",
        sa.Column("redemption_id", sa.String(length=36), nullable=False),
        sa.Column("coupon_id", sa.String(length=36), nullable=False),
        sa.Column("request_key", sa.String(length=64), nullable=True),
        sa.Column("asked", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=True),
        sa.Column("amount_minor", AMOUNT, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("rolled_back_at", UtcDateTime(), nullable=True),
        sa.Column("untold", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.coupon_id"], name=op.f("fk_redemptions_coupon_id_coupons")),
        sa.PrimaryKeyConstraint("redemption_id", name=op.f("pk_redemptions")),
        sa.UniqueConstraint("coupon_id", "request_key", name=op.f("uq_redemptions_coupon_id_request_key")),
    )
    op.create_index(op.f("ix_redemptions_untold"), "redemptions", ["untold"])
    op.create_index(
        "uq_redemptions_standing", "redemptions", ["coupon_id"], unique=True, postgresql_where=STANDING, sqlite_where=STANDING
    )  # fmt: skip
    op.execute(
        "INSERT INTO redemptions (redemption_id, coupon_id, request_key, asked, order_id, amount_minor, at, untold)"
        " SELECT coupon_id, coupon_id, order_id, '', order_id, discount_minor, redeemed_at, false"
        " FROM coupons WHERE status = 'redeemed'"
    )
    op.drop_column("coupons", "order_id")
    op.drop_column("coupons", "redeemed_at")

    with op.batch_alter_table("budgets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("scope", sa.String(length=7), server_default="", nullable=False))
        batch_op.add_column(sa.Column("scope_id", sa.String(length=64), server_default="", nullable=False))
        batch_op.drop_constraint(batch_op.f("pk_budgets"), type_="primary")
        batch_op.create_primary_key(batch_op.f("pk_budgets"), ["campaign_id", "scope", "scope_id"])
        batch_op.create_check_constraint(batch_op.f("ck_budgets_scope"), "scope IN ('', 'store', 'channel')")

    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("per_member", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("per_household", sa.Integer(), nullable=True))

    with op.batch_alter_table("ledger_entries", schema=None) as batch_op:
        batch_op.add_column(sa.Column("scope", sa.String(length=7), server_default="", nullable=False))
        batch_op.add_column(sa.Column("scope_id", sa.String(length=64), server_default="", nullable=False))
        batch_op.add_column(sa.Column("redemption_id", sa.String(length=36), nullable=True))

    with op.batch_alter_table("members", schema=None) as batch_op:
        batch_op.add_column(sa.Column("household_id", sa.String(length=64), nullable=True))
        batch_op.create_index(batch_op.f("ix_members_household_id"), ["household_id"], unique=False)

    with op.batch_alter_table("offers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("percent_bp", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("minimum_basket_minor", AMOUNT, server_default="0", nullable=False))
        batch_op.add_column(sa.Column("categories", sa.String(length=2000), server_default="", nullable=False))
        batch_op.add_column(sa.Column("stacking", sa.String(length=5), server_default="stack", nullable=False))


def downgrade() -> None:
    """Go back; what caps, terms and rolled back redemptions said is lost."""
    for column in ("stacking", "categories", "minimum_basket_minor", "percent_bp"):
        op.drop_column("offers", column)

    op.drop_index(op.f("ix_members_household_id"), "members")
    op.drop_column("members", "household_id")

    op.execute("DELETE FROM ledger_entries WHERE scope <> ''")
    for column in ("redemption_id", "scope_id", "scope"):
        op.drop_column("ledger_entries", column)
    for column in ("per_household", "per_member"):
        op.drop_column("campaigns", column)

    op.execute("DELETE FROM budgets WHERE scope <> ''")
    with op.batch_alter_table("budgets", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("pk_budgets"), type_="primary")
        batch_op.drop_constraint(batch_op.f("ck_budgets_scope"), type_="check")
        batch_op.drop_column("scope_id")
        batch_op.drop_column("scope")
        batch_op.create_primary_key(batch_op.f("pk_budgets"), ["campaign_id"])

    op.add_column("coupons", sa.Column("redeemed_at", UtcDateTime(), nullable=True))
    op.add_column("coupons", sa.Column("order_id", sa.String(length=64), nullable=True))
    standing = "FROM redemptions r WHERE r.coupon_id = coupons.coupon_id AND r.rolled_back_at IS NULL"
    op.execute(
        f"UPDATE coupons SET redeemed_at = (SELECT at {standing}), order_id = (SELECT order_id {standing})"  # noqa: S608
        " WHERE status = 'redeemed'"
    )
    op.drop_table("redemptions")
    with op.batch_alter_table("coupons", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_coupons_campaign_id_campaigns"), type_="foreignkey")
        batch_op.create_foreign_key(
            batch_op.f("fk_coupons_campaign_id_budgets"), "budgets", ["campaign_id"], ["campaign_id"]
        )
        batch_op.drop_column("caps")
        batch_op.drop_column("terms")
