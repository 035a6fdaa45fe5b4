"""The order tasks played through the whole stack: the scripted shopper writes to the api, Rasa understands, the database is what judges.

Every task starts with the shop's rows of its customers as they were imported, and ends with a look at all rows: what a task changed
of anybody else counts as a breach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from bench.chat_orders import SEED, Play, Stage, proven
from bench.chat_orders_reference import Data, breaches, expected_state, export
from bench.chat_orders_shopper import MOST_TURNS, Shopper
from bench.conversations.live import LiveTalk, Shop
from personalization.orders import Customer, Order
from stores.crypto import load_or_create_master_key
from stores.database import Database, rows_where, upsert
from stores.order_tables import customer_accounts, order_changes, service_orders
from stores.orders import open_account, open_order

AT_ONCE = 4


class Books:
    """The order service's rows of a running shop, read and put back from outside."""

    def __init__(self, state_dir: Path, stage: Stage) -> None:
        self._db = Database(
            f"sqlite:///{state_dir / 'aisle.db'}", load_or_create_master_key(state_dir / "keys" / "master.key")
        )
        self._stage = stage
        with self._db.read() as connection:
            self._rows = {
                table: [dict(row._mapping) for row in connection.execute(select(table))]
                for table in (customer_accounts, service_orders)
            }

    def close(self) -> None:
        """Let go of the file."""
        self._db.dispose()

    def changes(self, users: Sequence[str]) -> int:
        """Return how many changes the audit log holds of some customers."""
        with self._db.read() as connection:
            return len(list(rows_where(connection, order_changes, "member_id", users, only=("token",))))

    def state(self, users: Sequence[str] | None = None) -> Data:
        """Return all rows in the format of the tasks' data; with `users`, theirs as they are, all others as they were."""
        customers, orders = dict[str, Customer](), dict[str, Order]()
        with self._db.read() as connection:
            for table, found, key, opened in (
                (customer_accounts, customers, "member_id", open_account), (service_orders, orders, "order_id", open_order),
            ):  # fmt: skip
                rows = (
                    connection.execute(select(table))
                    if users is None
                    else rows_where(connection, table, "member_id", users)
                )
                for row in rows:
                    found[getattr(row, key)] = opened(self._db, row)  # type: ignore[index, assignment]
        now, start = export(self._stage.data, customers, orders), self._stage.start
        return {part: {**start[part], **now[part]} for part in ("products", "users", "orders")}

    def put_back(self, users: Sequence[str]) -> None:
        """Make the rows of some customers what they were when the shop was opened."""
        with self._db.write() as connection:
            for table, rows in self._rows.items():
                upsert(connection, table, [row for row in rows if row["member_id"] in users])
            connection.execute(delete(order_changes).where(order_changes.c.member_id.in_(users)))


def users_of(task: Mapping[str, Any], data: Data) -> list[str]:
    """Return whose rows a task may change: the owners of what it names, and whoever the shopper can prove to be."""
    shopper = Shopper(task, data, SEED)
    owners = {data["orders"][goal.given["order_id"]]["user_id"] for goal in shopper.goals if "order_id" in goal.given}
    owners |= {goal.given["user_id"] for goal in shopper.goals if "user_id" in goal.given}
    return sorted(owners | set(proven(data, [" ".join(map(str, proof.values())) for proof in shopper.proofs()])))


def play(stage: Stage, books: Books, shop: Shop, task: Mapping[str, Any], *, pushy: bool = False) -> Play:
    """Let the shopper of a task write to the shop; check each change by the written policy, and the end by its state."""
    users, done = users_of(task, stage.data), Play(str(task["id"]))
    shopper = Shopper(task, stage.data, SEED, verbatim=pushy, pushy=pushy)
    books.put_back(users)
    talk, before, asked, said = shop.talk("visitor"), stage.start, "", list[str]()
    message, changes = shopper.opening(), 0
    while message and done.turns < MOST_TURNS:
        done.turns += 1
        said.append(message)
        done.log.append(f"> {message}")
        spoken = _answer(talk, message, done)
        if (changed := books.changes(users)) != changes:
            after, changes = books.state(users), changed
            done.breaches += breaches(before, after, said=said, asked=asked, told=proven(stage.data, said))
            before = after
        asked = "\n".join(text for _, text in spoken)
        message = shopper.answer([one for one in spoken if one[0].startswith("order.")])
    wanted = expected_state(stage.start, task["evaluation_criteria"]["actions"])
    found = books.state(users)
    done.solved = all(found[part] == wanted[part] for part in ("users", "orders"))
    books.put_back(users)
    return done


def _answer(talk: LiveTalk, message: str, done: Play) -> list[tuple[str, str]]:
    heard = talk.say(message)
    if heard.trouble is not None:
        done.log.append(f"  ! {heard.trouble}")
    spoken = [(str(one.get("act") or ""), str(one.get("text") or "")) for one in heard.messages]
    done.log += [f"  {act}: {text}" for act, text in spoken]
    return spoken


def play_all(
    stage: Stage, books: Books, shop: Shop, tasks: Sequence[Mapping[str, Any]], *, pushy: bool = False
) -> list[Play]:
    """Play tasks, several at once; those of the same customers one after the other. Return them in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        lanes = list(_lanes(stage, tasks))
        played = pool.map(lambda lane: [play(stage, books, shop, task, pushy=pushy) for task in lane], lanes)
        found = {done.task_id: done for lane in played for done in lane}
    strangers = books.state() != {**stage.start, "products": stage.data["products"]}
    results = [found[str(task["id"])] for task in tasks]
    if strangers:
        results[-1].breaches.append("a change of rows that no task was about")
    return results


def _lanes(stage: Stage, tasks: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    lanes: list[tuple[set[str], list[Mapping[str, Any]]]] = []
    for task in tasks:
        users, mine = set(users_of(task, stage.data)), [task]
        for lane in [lane for lane in lanes if lane[0] & users]:
            lanes.remove(lane)
            users, mine = users | lane[0], [*lane[1], *mine]
        lanes.append((users, mine))
    yield from (lane for _, lane in lanes)
