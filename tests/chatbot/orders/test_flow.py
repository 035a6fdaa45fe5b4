"""What a shopper meets who talks to the order service."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from chatbot.orders.assent import says_yes
from tests.chatbot.orders.shop import Talk, nora, omar, small_book


def test_nothing_is_told_and_nothing_done_before_the_shopper_is_known() -> None:
    talk = Talk()
    assert talk.say("Please cancel order #A100001") == ["order.identify.ask"]
    assert "A100001" not in talk.told
    assert talk.say("yes") == ["order.identify.again"]
    assert talk.book.changes == []


def test_the_wish_is_taken_up_once_it_is_clear_who_asks() -> None:
    talk = Talk()
    talk.say("Please cancel order #A100001, I no longer need it")
    assert talk.say("Nora Fields, 97201") == ["order.identified", "order.cancel.confirm"]


@pytest.mark.parametrize("proof", ["My name is Nora Fields and I live in 97201", "nora fields 97201", "NORA.FIELDS@example.com", "it's Nora Fields, zip 97201."])  # fmt: skip
def test_the_customer_is_known_by_email_or_by_name_and_postcode(proof: str) -> None:
    talk = Talk()
    talk.say("where is my order")
    assert talk.say(proof)[0] == "order.identified"


def test_a_name_alone_is_no_proof_and_the_postcode_may_follow() -> None:
    talk = Talk()
    talk.say("where is my order?")
    assert talk.say("I am Nora Fields") == ["order.identify.more"]
    assert talk.told == "postcode"
    assert talk.say("97201")[0] == "order.identified"


def test_guessing_ends_after_some_wrong_answers() -> None:
    talk = Talk()
    talk.say("where is my order?")
    acts = [talk.say(f"guess{n}@example.com")[-1] for n in range(9)]
    assert acts[0] == "order.identify.unknown"
    assert acts[-1] == "order.identify.blocked"
    assert talk.say("nora.fields@example.com") == ["order.identify.blocked"]


def test_who_is_signed_in_need_not_prove_it_again() -> None:
    talk = Talk(signed_in="nora_fields_1001")
    assert talk.say("cancel order A100001") == ["order.reason"]


def test_an_order_is_cancelled_after_the_reason_and_a_yes() -> None:
    talk = nora()
    assert talk.say("please cancel my order #A100001") == ["order.reason"]
    assert talk.say("I ordered it by mistake") == ["order.cancel.confirm"]
    assert "$103.90" in talk.told
    assert talk.book.by_id["#A100001"].status == "pending"
    assert talk.say("yes") == ["order.cancel.done", "order.anything_else"]
    assert talk.book.by_id["#A100001"].status == "cancelled"


def test_a_no_changes_nothing() -> None:
    talk = nora()
    talk.say("cancel #A100001 because it is no longer needed")
    assert talk.say("no, keep it")[0] == "order.dropped"
    assert talk.book.changes == []


def test_an_order_that_is_under_way_cannot_be_cancelled_and_the_shopper_reads_why() -> None:
    talk = nora()
    assert talk.say("cancel order A100003")[0] == "order.forbidden"
    assert "processed" in talk.told


def test_an_order_of_somebody_else_is_not_there() -> None:
    talk = nora()
    assert talk.say("cancel order #A100004")[0] in {"order.unknown_order", "order.reason"}
    assert "A100004" in talk.told or talk.last[-1].values.get("order") == "#A100001"
    talk.say("no longer needed")
    talk.say("yes")
    assert talk.book.by_id["#A100004"].status == "pending"


def test_single_items_cannot_be_taken_out_and_the_whole_order_is_offered() -> None:
    talk = nora()
    assert talk.say("I want to cancel the lantern") == ["order.whole"]
    assert talk.say("no")[0] == "order.dropped"
    assert talk.book.changes == []


def test_an_item_is_changed_by_saying_what_should_be_different() -> None:
    talk = nora()
    assert talk.say("can you change the rain jacket to size L?") == ["order.which_item"]
    assert talk.say("the one that is pending") == ["order.method.ask"]
    assert talk.say("visa") == ["order.change_items.confirm"]
    assert talk.say("yes please")[0] == "order.change_items.done"
    assert talk.book.by_id["#A100001"].items[0].item_id == "100000105"
    assert talk.book.by_id["#A100001"].status == "pending (item modified)"


def test_a_delivered_item_is_exchanged_although_the_shopper_says_change() -> None:
    talk = nora()
    assert talk.say("I got a trail backpack, please change it to a green one, use my visa card") == [
        "order.exchange.confirm"
    ]
    talk.say("ok")
    assert talk.book.by_id["#A100002"].status == "exchange requested"


def test_kinds_that_are_not_available_are_never_proposed() -> None:
    talk = nora()
    assert talk.say("exchange the trail backpack for the black 30L one")[-1] == "order.variant.none"
    assert "30L, black" not in talk.told


def test_what_was_chosen_can_be_corrected_while_something_else_is_asked() -> None:
    talk = nora()
    assert talk.say("exchange my trail backpack for a bigger one") == ["order.method.ask"]
    assert talk.say("45L, green rather") == ["order.method.ask"]
    assert talk.say("visa") == ["order.exchange.confirm"]
    assert "45L, green" in talk.told


def test_several_kinds_are_listed_and_one_is_picked_by_its_number() -> None:
    talk = nora()
    talk.say("exchange the mug of A100002 for another color and size, I don't care which")
    assert talk.last[-1].act == "order.variant.choose"
    assert talk.say("the second one") == ["order.method.ask"]


def test_the_cheapest_kind_is_found() -> None:
    talk = nora()
    talk.say("exchange the trail backpack for the most expensive version, with my visa card")
    assert "45L, green" in talk.told


def test_more_items_can_be_added_before_the_yes() -> None:
    talk = nora()
    talk.say("I want to return the backpack, refund to my visa")
    assert talk.last[-1].act == "order.return.confirm"
    assert talk.say("also the mug please") == ["order.return.confirm"]
    assert "Enamel Mug" in talk.told
    talk.say("yes")
    asked = talk.book.by_id["#A100002"].requested
    assert asked is not None
    assert len(asked.item_ids) == 2


def test_the_shopper_may_change_their_mind_about_the_payment_at_the_last_moment() -> None:
    talk = nora()
    talk.say("return the mug from A100002 to my visa")
    assert talk.say("actually, put it on my gift card") == ["order.return.confirm"]
    talk.say("yes")
    asked = talk.book.by_id["#A100002"].requested
    assert asked is not None
    assert asked.method_id == "gift_card_11"


def test_a_refund_to_another_card_is_refused_and_the_allowed_ways_are_named() -> None:
    talk = omar()
    assert talk.say("I want to return the camping lantern, refund to PayPal")[-1] == "order.method.refused"
    assert "gift card" in talk.told


def test_two_changes_of_one_order_are_done_in_the_order_that_makes_both_possible() -> None:
    talk = omar()
    talk.say(
        "change the puzzle box to 1000 pieces, pay with paypal. And change the address of that order to my Austin address."
    )
    assert talk.last[-1].act == "order.change_address.confirm"
    talk.say("yes")
    assert talk.last[-1].act == "order.change_items.confirm"
    talk.say("yes")
    order = talk.book.by_id["#A100004"]
    assert (order.address.city, order.status) == ("Austin", "pending (item modified)")


def test_everything_but_one_item_is_returned() -> None:
    talk = nora()
    talk.say("return everything from order #A100002 except the mug, to my visa")
    assert talk.last[-1].act == "order.return.confirm"
    assert "Enamel Mug" not in talk.told
    assert "Trail Backpack" in talk.told


def test_of_two_equal_pieces_one_can_be_returned() -> None:
    talk = omar()
    talk.say("return one enamel mug to my gift card")
    talk.say("yes")
    asked = talk.book.by_id["#A100005"].requested
    assert asked is not None
    assert asked.item_ids == ("100000403",)


def test_an_address_is_typed_in_full_and_what_is_missing_is_asked() -> None:
    talk = nora()
    talk.say("please send order A100001 to another address")
    assert talk.say("5 Elm Street, Salem, 97301") == ["order.address.region"]
    assert talk.say("Oregon") == ["order.change_address.confirm"]
    talk.say("yes")
    assert str(talk.book.by_id["#A100001"].address) == "5 Elm Street, Salem, OR 97301, USA"


@pytest.mark.parametrize(
    ("said", "line"),
    [("no sorry, 50 Elm Street", "50 Elm Street, Salem, OR 97301"), ("50, not 5", "50 Elm Street, Salem, OR 97301"), ("wait, the zip is 97302", "5 Elm Street, Salem, OR 97302"),
     ("add apartment 4b please", "5 Elm Street, apartment 4b, Salem, OR 97301")],
)  # fmt: skip
def test_a_part_of_an_address_that_was_told_wrong_is_corrected_alone(said: str, line: str) -> None:
    talk = nora()
    talk.say("send order A100001 somewhere else")
    talk.say("5 Elm Street, Salem, OR 97301")
    assert talk.say(said) == ["order.change_address.confirm"]
    talk.say("yes")
    assert str(talk.book.by_id["#A100001"].address).startswith(line)


@pytest.mark.parametrize("reason", ["not needed anymore", "it's no use to me now", "no longer wanted"])
def test_a_reason_is_heard_in_other_words_and_is_no_refusal(reason: str) -> None:
    talk = nora()
    talk.say("please cancel my order #A100001")
    assert talk.say(reason) == ["order.cancel.confirm"]


def test_who_asks_for_an_order_that_is_not_theirs_is_told_so_and_not_about_others() -> None:
    assert nora().say("where is order W0000000?") == ["order.unknown_order"]


def test_the_address_of_the_account_is_changed_apart_from_the_orders() -> None:
    talk = nora()
    talk.say("change my default address to 5 Elm Street, Salem, OR 97301")
    talk.say("yes")
    assert talk.book.customers["nora_fields_1001"].address.city == "Salem"
    assert talk.book.by_id["#A100001"].address.city == "Portland"


def test_a_gift_card_that_does_not_hold_enough_cannot_pay_an_order() -> None:
    talk = nora()
    assert talk.say("pay order A100001 with my gift card instead")[-1] in {"order.forbidden", "order.method.forbidden"}
    assert talk.book.changes == []


def test_a_yes_that_comes_twice_changes_nothing_twice() -> None:
    talk = nora()
    talk.say("cancel #A100001")
    talk.say("no longer needed")
    talk.say("yes")
    talk.say("yes")
    assert len(talk.book.changes) == 1


def test_questions_are_answered_from_what_is_stored() -> None:
    talk = nora()
    assert talk.say("what is the tracking number of the mug order?") == ["order.told.tracking"]
    assert "700000100002" in talk.told
    assert talk.say("how many kinds of camping lantern are available?") == ["order.told.kinds"]
    assert talk.last[0].values["count"] == 5
    assert talk.say("which order has the puzzle box?") == ["order.told.contains"]
    assert talk.say("how much is on my gift card?") == ["order.told.balance"]
    assert "$30.00" in talk.told


def test_a_question_in_the_middle_is_answered_and_the_open_one_comes_again() -> None:
    talk = nora()
    talk.say("cancel #A100001")
    assert talk.say("how many kinds of camping lantern are available?") == ["order.told.kinds", "order.reason"]


def test_the_sum_of_refunds_is_told() -> None:
    talk = nora()
    talk.say("cancel #A100001")
    talk.say("no longer needed")
    talk.say("yes")
    assert talk.say("how much will I get back in total?") == ["order.told.back"]
    assert "$103.90" in talk.told


def test_what_was_cancelled_is_not_brought_back() -> None:
    assert omar().say("please undo the cancellation of my order")[0] == "order.undo"


def test_never_mind_ends_it() -> None:
    talk = nora()
    talk.say("cancel #A100001")
    assert talk.say("never mind")[0] == "order.dropped"


def test_a_state_that_cannot_be_read_starts_afresh() -> None:
    talk = Talk(small_book())
    talk.slot = {"customer_id": 7}
    assert talk.say("where is my order?") == ["order.identify.ask"]


def test_each_wish_of_a_message_keeps_its_own_way_to_pay() -> None:
    talk = omar()
    talk.say(
        "Return the camping lantern and put it on my gift card. Also change the puzzle box to 1000 pieces and charge PayPal."
    )
    assert "gift card" in str(talk.last[-1].values["method"])
    talk.say("yes")
    assert talk.last[-1].act == "order.change_items.confirm"
    assert talk.last[-1].values["method"] == "PayPal"


def at_cancel() -> Talk:
    talk = nora()
    talk.say("cancel #A100001 because it is no longer needed")
    assert talk.last[-1].act == "order.cancel.confirm"
    return talk


NO = ["please do not", "of course not", "absolutely not", "ok no", "ok stop", "great, no", "ok not yet", "yes but not now", "okay, don't do that", "sure... no"]  # fmt: skip
OPEN = ["ok I'm not sure about this", "right now I'm not sure", "ok let me think about it", "sure, tomorrow", "ok later", "yeah right", "ok hang on", "fine if it is free", "ok. I am not sure about this"]  # fmt: skip
ASKS = ["ok how much would I get back?", "yes? what does that mean", "OK why does it take so long?", "sure about what", "right, what happens then", "ok. how much would I get back"]  # fmt: skip
YES = [
    "yes, cancel",
    "yes please", "yep go ahead", "sure, thanks", "ok do it", "yes cancel it", "correct, thank you", "go ahead and cancel the order", "Yes, I confirm.", "👍",
    "yes, cancel order A100001, it is no longer needed", "that's right, please proceed", "Yes. Please cancel the whole order, thank you so much!", "absolutely", "yess",
]  # fmt: skip


@pytest.mark.parametrize("said", NO + OPEN + ASKS)
def test_what_is_no_plain_yes_changes_nothing(said: str) -> None:
    talk = at_cancel()
    talk.say(said)
    assert talk.book.changes == []


@pytest.mark.parametrize("said", OPEN + ASKS)
def test_a_doubt_or_a_question_at_a_confirmation_brings_it_again(said: str) -> None:
    assert at_cancel().say(said)[-1] == "order.cancel.confirm"


@pytest.mark.parametrize("said", YES)
def test_a_yes_with_courtesy_or_with_what_was_proposed_is_one(said: str) -> None:
    talk = at_cancel()
    assert talk.say(said)[0] == "order.cancel.done"


@pytest.mark.parametrize("said", ["please do not return it", "please do not exchange it", "of course I won't", "ok nothing"])  # fmt: skip
def test_a_no_behind_an_agreeing_word_is_no_yes(said: str) -> None:
    assert not says_yes(said)


def test_a_question_about_the_money_of_a_proposal_is_answered_by_the_proposal() -> None:
    talk = at_cancel()
    assert talk.say("ok how much would I get back?") == ["order.cancel.confirm"]
    assert "$103.90" in talk.told


@pytest.mark.parametrize(
    "said",
    ["correct the street to 40 Mill Street", "right street is 40 Mill Street", "correct address is 40 Mill Street, Portland, OR 97202", "yes, but the street is 40 Mill Street",
     "exactly, 40 Mill Street", "ok. the street is 40 Mill Street"],
)  # fmt: skip
def test_a_correction_that_begins_like_a_yes_is_taken_in_before_anything_is_stored(said: str) -> None:
    talk = nora()
    talk.say("send order A100001 somewhere else")
    assert talk.say("12 Oak Street, Portland, OR 97202") == ["order.change_address.confirm"]
    assert talk.say(said) == ["order.change_address.confirm"]
    assert "40 Mill Street" in talk.told
    assert talk.book.changes == []
    talk.say("correct, thank you")
    assert str(talk.book.by_id["#A100001"].address).startswith("40 Mill Street")


@pytest.mark.parametrize("said", ["yes that is my address", "correct", "yes, 12 Oak Street", "yes please send it to 12 Oak Street, Portland, OR 97202"])  # fmt: skip
def test_the_proposed_address_may_be_repeated_in_a_yes(said: str) -> None:
    talk = nora()
    talk.say("send order A100001 somewhere else")
    talk.say("12 Oak Street, Portland, OR 97202")
    talk.say(said)
    assert str(talk.book.by_id["#A100001"].address).startswith("12 Oak Street")


def test_another_orders_number_beside_a_yes_changes_nothing() -> None:
    talk = at_cancel()
    talk.say("yes cancel order #A100002")
    assert talk.book.changes == []


class Guesses:
    """What was guessed wrong, as a store keeps it."""

    def __init__(self) -> None:
        self.count = 0

    def made(self, conversation_id: str, proof: Mapping[str, str]) -> int:
        return self.count

    def wrong(self, conversation_id: str, proof: Mapping[str, str], count: int) -> None:
        self.count += count


def test_a_list_of_addresses_finds_nobody_and_each_of_them_counts() -> None:
    talk = Talk()
    talk.say("where is my order?")
    tried = " ".join(f"guess{n}@example.com" for n in range(60)) + " nora.fields@example.com"
    assert talk.say(tried) == ["order.identify.one"]
    assert talk.say("nora.fields@example.com") == ["order.identify.blocked"]


def test_two_addresses_are_one_too_many_and_the_right_one_alone_is_enough() -> None:
    talk = Talk()
    talk.say("where is my order?")
    assert talk.say("nora.fields@example.com or nora@example.com") == ["order.identify.one"]
    assert talk.say("nora.fields@example.com")[0] == "order.identified"


def test_a_new_conversation_gives_no_new_guesses() -> None:
    guesses, seen = Guesses(), list[str]()
    for _ in range(3):
        talk = Talk()
        talk.flow.service.guesses = guesses
        talk.say("where is my order?")
        seen += [talk.say(f"guess{n}@example.com")[-1] for n in range(5)]
    assert seen[:10] == ["order.identify.unknown"] * 10
    assert seen[12:] == ["order.identify.blocked"] * 3
