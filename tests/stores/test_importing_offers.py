"""Budgets, caps, terms, offers and audiences from a retailer's own files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from personalization.offers import Stacking, Terms
from personalization.types import CampaignId, ProductId, Subject, VisitorId
from stores.campaigns import SqlCampaigns
from stores.database import Database
from stores.ledger import SqlLedger
from stores.members import SqlMembers
from tests.small_shop import NOW, write
from tests.stores.test_importing import run
from tests.stores.test_ledger import coupon


def test_a_budget_cannot_be_lowered_below_what_was_promised(database: Database, tmp_path: Path) -> None:
    write(tmp_path)
    run(database, tmp_path)
    ledger, campaign_id = SqlLedger(database), CampaignId("c1")
    for number in range(15):
        made = replace(coupon(100, f"C{number}"), campaign_id=campaign_id)
        assert ledger.reserve(made, Subject(visitor_id=VisitorId("v")), decision_id=None)
    campaigns = tmp_path / "campaigns.csv"
    campaigns.write_text(campaigns.read_text().replace("20.00", "14.99"))
    report = run(database, tmp_path)
    assert [str(error) for error in report.errors] == [
        "campaigns.csv line 2, column budget: is less than was promised and spent already"
    ]
    state = ledger.state(campaign_id)
    assert state is not None
    assert (state.total.minor_units, state.reserved.minor_units) == (2000, 1500)


def test_caps_limits_and_terms_are_what_the_files_say(database: Database, tmp_path: Path) -> None:
    write(tmp_path)
    header = "campaign_id,name,starts_at,ends_at,budget,objective,per_member,per_household,caps\n"
    row = "c1,Hello,2020-01-01,2099-01-01,20.00,Margin,2,3,"
    (tmp_path / "campaigns.csv").write_text(f"{header}{row}store:s1=5.00; channel:kiosk=2.5\n")
    (tmp_path / "coupons.csv").write_text(
        "offer_id,campaign_id,discount,percent,minimum_basket,categories,stacking\n"
        "o1,c1,1.00,12.5,10.00,Milk;Bread,BEST\no2,c1,1.00,101,,,\no3,c1,1.00,,,,sometimes\n"
    )
    report = run(database, tmp_path)
    assert [str(error) for error in report.errors] == [
        'coupons.csv line 3, column percent: "101" is above 100.00',
        'coupons.csv line 4, column stacking: "sometimes" is none of stack, stop, best',
    ]
    member = SqlMembers(database).by_external_id("pets-1")
    assert member is not None
    wanted = [ProductId(name) for name in ("milk-1", "bread-1", "eggs-1")]
    (offer,) = SqlCampaigns(database).active_offers(Subject(member.member_id), at=NOW, product_ids=wanted)
    assert offer.objective == "margin"
    assert offer.terms == Terms(1250, 1000, frozenset({"Milk", "Bread"}), Stacking.BEST)
    assert offer.product_ids == {"milk-1", "bread-1"}
    ledger, campaign_id = SqlLedger(database), CampaignId("c1")

    def issue(code: str) -> bool:
        made = replace(coupon(200, code), campaign_id=campaign_id)
        return ledger.reserve(made, Subject(member.member_id), decision_id=None, caps=[("store", "s1")])

    assert [issue("A"), issue("B"), issue("C")] == [True, True, False]
    assert [state.total.minor_units for state in ledger.states(campaign_id)] == [2000, 250, 500]
    (tmp_path / "campaigns.csv").write_text(f"{header}{row}store:s1=3.99\n")
    assert any("store:s1 is less than was promised" in str(error) for error in run(database, tmp_path).errors)
    (tmp_path / "campaigns.csv").write_text(f"{header}{row}\n")
    assert {error.file for error in run(database, tmp_path).errors} == {"coupons.csv"}
    assert [state.total.minor_units for state in ledger.states(campaign_id)] == [2000, 2000, 2000]


def test_offers_and_audiences_are_what_the_last_file_says(database: Database, tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "campaigns.csv").write_text(
        "campaign_id,name,starts_at,ends_at,budget,audience\nc1,Hello,2020-01-01,2099-01-01,9.00,pets-1;nobody\n"
    )
    (tmp_path / "coupons.csv").write_text(
        "offer_id,campaign_id,discount,product_ids\no1,c1,1.00,milk-1; milk-2;\no2,c1,1.00,unicorn\no3,c9,1.00,\n"
    )
    report = run(database, tmp_path)
    assert [str(error) for error in report.errors] == [
        'coupons.csv line 3, column product_ids: "unicorn" is not in the catalogue',
        'coupons.csv line 4, column campaign_id: "c9" is no campaign',
    ]
    assert report.notes == ["1 entries of campaigns' audiences are no members and were left out"]
    assert offered(database, "pets-1") == [{"milk-1", "milk-2"}]
    assert offered(database, "pets-2") == []
    for name, old, new in (("campaigns", "pets-1;nobody", "pets-2"), ("coupons", "milk-1; milk-2;", "milk-2")):
        path = tmp_path / f"{name}.csv"
        path.write_text(path.read_text().replace(old, new))
    run(database, tmp_path)
    assert offered(database, "pets-1") == []
    assert offered(database, "pets-2") == [{"milk-2"}]


def offered(db: Database, external_id: str) -> list[set[str]]:
    member = SqlMembers(db).by_external_id(external_id)
    assert member is not None
    wanted = [ProductId("milk-1"), ProductId("milk-2")]
    found = SqlCampaigns(db).active_offers(Subject(member.member_id), at=NOW, product_ids=wanted)
    return [set(map(str, offer.product_ids)) for offer in found]
