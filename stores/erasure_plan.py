"""Whose the rows of each table are: the plan that export and erasure follow. A test fails for a table that is not named here."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sqlalchemy import Table

from stores.api_tables import changes_made, replies, reply_subjects, widget_sessions
from stores.audit_tables import audit_log
from stores.camera_tables import staff, staff_templates, vision_switches
from stores.console_tables import (
    campaign_lists,
    campaign_plans,
    experiment_gatherings,
    experiment_leavers,
    experiment_units,
    pacing_points,
    simulations,
    tunings,
)
from stores.coupon_tables import (
    allotments,
    budgets,
    campaign_audience,
    campaigns,
    coupons,
    ledger_entries,
    offer_products,
    offers,
    pacing,
    redemptions,
)
from stores.creative_tables import (
    brand_kits,
    creative_approvals,
    creative_campaigns,
    creative_credits,
    creative_drafts,
    creative_models,
    creative_pictures,
    creative_placements,
    creative_sets,
    creative_variants,
    product_pictures,
)
from stores.desk_tables import canned_answers, handoff_notes
from stores.film_tables import film_files, films
from stores.group_tables import fair_prices, fairness_reports, member_groups, variety
from stores.insight_tables import figures, label_edits, member_features, segments
from stores.merge_tables import merges
from stores.order_tables import customer_accounts, order_changes, service_orders, variants
from stores.outbox_tables import webhook_deliveries, webhook_endpoints
from stores.screen_tables import display_policies, kiosk_health, plays
from stores.staff_account_tables import staff_accounts, staff_attempts, staff_ceremonies, staff_passkeys, staff_sessions
from stores.tables import (
    agents,
    attachments,
    basket_lines,
    candidate_sets,
    consents,
    conversations,
    counters,
    creatives,
    cursors,
    data_keys,
    decisions,
    dialogue_erasures,
    erasures,
    events,
    experiments,
    exposures,
    handoffs,
    imports,
    keys,
    kiosks,
    label_vetoes,
    labels,
    link_codes,
    member_affect,
    members,
    messages,
    order_lines,
    products,
    profiles,
    promotions,
    responses,
    templates,
    withdrawals_due,
)


class Whose(StrEnum):
    """How a row belongs to a member, and so what becomes of it."""

    OWN = "a member's, by member_id: deleted"
    SEEN = "a member's, or a visitor's who became one: deleted"
    UNIT = "a member's or a visitor's, by unit_id: deleted"
    TALK = "of a conversation: deleted with it"
    DECIDED = "of a decision: deleted with it"
    HASHED = "a member's, a visitor's or a conversation's, by a keyed hash: deleted"
    UNNAMED = "figures of the shop: they stay, without whom they were for"
    CALLER = "that a request was answered, for a day; the answer, which only its caller's own secret opens, goes with whom it tells of"
    STAFF = (
        "of the shop's own people, who are removed by `aisle vision staff remove` and `aisle accounts remove`; "
        "what they signed as authors keeps their name"
    )
    NOBODY = "no person's"


PLAN: Mapping[Table, Whose] = {
    **dict.fromkeys(
        (templates, link_codes, consents, campaign_audience, campaign_lists, order_lines, profiles, labels, label_vetoes, member_affect,
         customer_accounts, service_orders, order_changes, member_groups, merges, variety, withdrawals_due, members), Whose.OWN),
    **dict.fromkeys((basket_lines, events, conversations, candidate_sets, decisions, widget_sessions), Whose.SEEN),
    **dict.fromkeys((coupons, creative_placements), Whose.UNNAMED),
    **dict.fromkeys((exposures, experiment_units), Whose.UNIT),
    replies: Whose.CALLER,
    **dict.fromkeys((handoffs, handoff_notes, attachments, messages), Whose.TALK),
    **dict.fromkeys((member_features, label_edits), Whose.OWN),
    allotments: Whose.DECIDED,
    segments: Whose.STAFF,
    figures: Whose.NOBODY,
    **dict.fromkeys((webhook_deliveries, reply_subjects), Whose.HASHED),
    **dict.fromkeys((plays, redemptions, ledger_entries, creative_credits), Whose.UNNAMED),
    **dict.fromkeys(
        (staff, staff_templates, agents, creative_approvals, vision_switches, display_policies, audit_log, staff_accounts,
         staff_sessions, staff_passkeys, staff_ceremonies, staff_attempts), Whose.STAFF),
    **dict.fromkeys(
        (data_keys, changes_made, products, promotions, campaigns, offers, offer_products, budgets, pacing, creatives, cursors, experiments,
         responses, kiosks, counters, keys, erasures, imports, creative_campaigns, creative_variants, creative_sets,
         creative_models, creative_pictures, product_pictures, creative_drafts, films, film_files, variants, fair_prices, fairness_reports, webhook_endpoints, canned_answers, kiosk_health, brand_kits, dialogue_erasures), Whose.NOBODY),
    **dict.fromkeys((campaign_plans, tunings), Whose.STAFF),
    **dict.fromkeys((pacing_points, simulations, experiment_gatherings, experiment_leavers), Whose.NOBODY),
}  # fmt: skip

NAMES_SOMEBODY = frozenset(
    {"member_id", "visitor_id", "owner_id", "unit_id", "conversation_id", "decision_id", "coupon_id", "placement"}
)
"""Columns that lead to a shopper: a table with one of them is somebody's."""


def tables(*whose: Whose) -> tuple[Table, ...]:
    """Return the tables of these kinds, in the plan's order."""
    return tuple(table for table, kind in PLAN.items() if kind in whose)


SEEN_WITH_NAMES = (*tables(Whose.SEEN), coupons, creative_placements)
"""Tables that know members and visitors, by the two columns of that name."""
