"""A confirmation that is sent again while the first is still under way: both get one answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, cast

import msgspec
import pytest
from path_dispatch import T0, crews_on_duty, kinds, now_of, proposed, waiting
from path_house import WITHIN_S, House, NewHouse, run

from dispatch_core.errors import Conflict, Refused
from server.adapters.accounts import Principal
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.decision_reads import DecisionReads
from server.adapters.engine_calls import Answered
from server.adapters.idempotency import Answer
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.api.dispatch_confirm import Confirming, confirmed
from server.usecases.dispatching import DispatchTicket


@pytest.fixture(scope="module")
def town(new_house: NewHouse) -> Iterator[House]:
    """A house with two crews near each other."""
    with new_house() as house:
        house.set_clock(T0)
        crews_on_duty(house, "N1", "N2")
        yield house


class Engine:
    """Scores when it is told to, what it is told, or what is asked for it then."""

    def __init__(self, answer: Answered | Refused | Callable[[], Answered]) -> None:
        self._answer = answer
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def ask(self, *_: object) -> Answered:
        self.asked.set()
        await self.go.wait()
        if isinstance(self._answer, Refused):
            raise self._answer
        return await asyncio.to_thread(self._answer) if callable(self._answer) else self._answer


class Desk:
    """A stale wish of a person, and what the engine would say of it now."""

    def __init__(self, house: House) -> None:
        self.house = house
        ticket = waiting(house.person)
        row = proposed(house, ticket)
        self.crew = row["choices"][0]["crew"]
        taken = waiting(house.person)
        given = house.person.ok(
            f"/api/tickets/{taken['id']}/dispatch", {"version": taken["version"], "crew": self.crew}
        )
        house.person.ok(
            f"/api/tickets/{taken['id']}/cancel",
            {"version": given["version"], "reason_code": "duplicate"},
        )

        self.now = house.person.get(f"/api/proposals/{ticket['id']}")
        self.ticket, self.row = ticket, row

    def engine(self, *, good: bool) -> Engine:
        """`good`: on the crew and the plan as they are when it is asked; else as they were."""
        return Engine(self._priced) if good else Engine(self._told(None))

    def _priced(self) -> Answered:
        path = f"/api/proposals/{self.ticket['id']}/price"
        return self._told(self.house.person.ok(path, {"crew": self.crew}))

    def _told(self, price: dict[str, Any] | None) -> Answered:
        now = self.now
        left = {"kind", "crews", "state", "decision"}
        nobody = {k: v for k, v in now.items() if k not in left} | {"rules": [], "choices": []}
        told: dict[str, Any] = {"proposal": nobody, "decision": now["decision"]}
        if price is not None:
            priced = {k: price[k] for k in ("choice", "price", "against", "refused_by")}
            told = {"priced": priced, "decision": price["decision"]}
        about = {
            "ticket_version": self.ticket["version"], "plan": (price or now)["plan"],
            "policy": now["policy"], "made_at": now["made_at"],
        }  # fmt: skip
        return msgspec.convert(told | about, Answered)

    async def sent(self, first: Engine, second: Engine, *, late: Engine) -> list[Answer]:
        """The answers to one request sent twice, of which `late` is scored last."""
        pool = Pool(self.house.app_url, size=4, name="test-confirm")
        vault, clock = Vault(self.house.keys), BusinessClock()
        await clock.load(pool)
        commits = Commits(pool, clock, vault, self.house.keys.get("journal"))
        policies = Policies(pool, self.house.data / "policies")
        principal = Principal(self.house.company, "admin", "person", b"")
        decisions = DecisionReads(pool)
        city = await policies.at(self.house.company, clock.now())
        wish = DispatchTicket(
            ticket=self.ticket["id"], version=self.ticket["version"], crew=self.crew,
            by=principal.actor, decision=self.row["decision"], city=city,
        )  # fmt: skip
        worker = asyncio.ensure_future(commits.run())
        tries = []
        try:
            async with asyncio.timeout(WITHIN_S):
                for engine in (first, second):
                    of = Confirming(commits, cast("Any", engine), decisions, vault, policies, clock)
                    one = confirmed(of, principal, self.ticket["id"], b"the same body", wish)
                    tries.append(asyncio.ensure_future(one))
                    await engine.asked.wait()
                early = second if late is first else first
                early.go.set()
                await asyncio.wait([tries[(first, second).index(early)]])
                late.go.set()
                return [await one for one in tries]
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
            await pool.close()


def told(answers: list[Answer]) -> tuple[int, Any]:
    """The one answer that both tries got."""
    (status,) = {a.status for a in answers}
    bodies = [msgspec.json.decode(a.body) for a in answers]
    assert bodies[0] == bodies[1]
    return status, bodies[0]


def test_a_try_that_was_refused_is_not_carried_out_by_the_other(town: House) -> None:
    """The person was told that the proposal has changed: then the ticket stays where it is."""
    desk = Desk(town)
    slow, quick = desk.engine(good=True), desk.engine(good=False)
    status, body = told(run(desk.sent(slow, quick, late=slow)))
    assert (status, body["code"]) == (409, "proposal_changed")
    assert body["present"]["proposal"]["decision"] == desk.now["decision"]
    assert now_of(town, desk.ticket)["state"] == "accepted"
    # another word of the person is another request
    again = {"version": desk.ticket["version"], "crew": desk.crew}
    assert town.person.ok(f"/api/tickets/{desk.ticket['id']}/dispatch", again)["crew"] == desk.crew


@pytest.mark.parametrize("refused", [False, True])
def test_a_try_is_not_refused_what_the_other_has_done(town: House, refused: bool) -> None:
    desk = Desk(town)
    slow, quick = desk.engine(good=False), desk.engine(good=True)
    if refused:
        slow = Engine(Conflict("nothing_to_propose", "No crew has to go there.", "Look at it."))
    status, body = told(run(desk.sent(slow, quick, late=slow)))
    assert (status, body["state"], body["crew"]) == (200, "dispatched", desk.crew)
    assert kinds(town, desk.ticket).count("ticket_dispatched") == 1
