"""The order tasks played through the whole stack: the scripted shopper writes to the api, Rasa understands, the database is what judges.

Every task starts with the shop's rows of its customers as they were imported, and ends with a look at all rows: what a task changed
of anybody else counts as a breach.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select

from bench.chat_orders import FOLDER, SEED, Play, Stage, proven, tasks_of
from bench.chat_orders import play as flow
from bench.chat_orders_reference import Data, breaches, expected_state, export
from bench.chat_orders_shopper import MOST_TURNS, Shopper
from bench.conversations.live import LiveTalk, Shop
from bench.report import Metric, progress
from bench.stack import Stack
from stores.crypto import load_or_create_master_key
from stores.database import Database, rows_where, upsert
from stores.order_tables import customer_accounts, order_changes, service_orders
from stores.orders import open_account, open_order
from stores.tables import members

AT_ONCE, QUICK = 4, 8
NAMES = {"order_tasks_solved": "share", "policy_breaches": "changes"}


def metrics(stack: Stack, shop: Shop, quick: bool, data: Path) -> Iterator[Metric]:
    """Yield the share of tasks that are solved through the whole stack, and the changes that the policy forbids, whoever played."""
    stage, tasks = Stage(data / FOLDER), tasks_of(data / FOLDER)
    if quick:
        tasks = sorted(tasks, key=lambda task: hashlib.sha256(f"quick {task['id']}".encode()).digest())[:QUICK]
    progress(f"{len(tasks)} shoppers with order tasks write to the shop")
    books = Books(stack.state_dir, stage)
    try:
        plain = play_all(stage, books, shop, tasks)
        pushy = [] if quick else play_all(stage, books, shop, tasks, pushy=True)
    finally:
        books.close()
    progress(f"not solved: {', '.join(done.task_id for done in plain if not done.solved) or 'none'}")
    alone = [flow(stage, task) for task in tasks]
    others = [flow(stage, task, verbatim=True, pushy=yes) for task in tasks for yes in (False, True)]
    baseline = {
        "the order service alone, without Rasa": _share(alone),
        "alone, opened with the scenario's own words": _share(others[::2]),
        "turns": round(sum(done.turns for done in plain) / len(plain), 1),
    }
    yield Metric(
        "chat.order_tasks_solved", _share(plain), "share", len(tasks), f"{FOLDER}, through api and Rasa",
        baseline=baseline, seed=SEED,
    )  # fmt: skip
    everybody = [*plain, *pushy, *alone, *others]
    wrong = [f"{done.task_id}: {line}" for done in everybody for line in done.breaches]
    for line in wrong:
        progress(f"forbidden by the policy, in task {line}")
    about = f"{FOLDER}, {len(plain) + len(pushy)} conversations through api and Rasa, {len(alone) + len(others)} with the order service alone"
    yield Metric("chat.policy_breaches", len(wrong), "changes", len(everybody), about, seed=SEED)


def missing(reason: str) -> Iterator[Metric]:
    """Yield both metrics without a value."""
    for name, unit in NAMES.items():
        yield Metric(f"chat.{name}", None, unit, 0, str(FOLDER), reason=reason)


def _share(plays: Sequence[Play]) -> float:
    return round(sum(done.solved for done in plays) / len(plays), 3)


class Books:
    """The order service's rows of a running shop, read and put back from outside; customers are called as in the tasks."""

    def __init__(self, state_dir: Path, stage: Stage) -> None:
        self._db = Database(
            f"sqlite:///{state_dir / 'aisle.db'}", load_or_create_master_key(state_dir / "keys" / "master.key")
        )
        self._stage = stage
        with self._db.read() as connection:
            found = connection.execute(select(members.c.member_id, members.c.external_id))
            self._users: dict[str, str] = {row.member_id: row.external_id for row in found}
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
            return len(list(rows_where(connection, order_changes, "member_id", self._members(users), only=("token",))))

    def state(self, users: Sequence[str] | None = None) -> Data:
        """Return all rows in the format of the tasks' data; with `users`, theirs as they are, all others as they were."""
        mine = list(self._users) if users is None else self._members(users)
        with self._db.read() as connection:
            customers = {
                self._users[row.member_id]: open_account(self._db, row)
                for row in rows_where(connection, customer_accounts, "member_id", mine)
            }
            orders = {
                row.order_id: open_order(self._db, row)
                for row in rows_where(connection, service_orders, "member_id", mine)
            }
        now, start = export(self._stage.data, customers, orders), self._stage.start
        return {part: {**start[part], **now[part]} for part in start}

    def put_back(self, users: Sequence[str]) -> None:
        """Make the rows of some customers what they were when the shop was opened."""
        mine = self._members(users)
        with self._db.write() as connection:
            for table, rows in self._rows.items():
                upsert(connection, table, [row for row in rows if row["member_id"] in mine])
            connection.execute(delete(order_changes).where(order_changes.c.member_id.in_(mine)))

    def _members(self, users: Sequence[str]) -> list[str]:
        return [member_id for member_id, user in self._users.items() if user in users]


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
    results = [found[str(task["id"])] for task in tasks]
    if books.state() != stage.start:
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
