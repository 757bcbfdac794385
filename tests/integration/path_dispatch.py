"""Crews on duty with a place, tickets that wait, and what the engine says of them."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime
from typing import Any

from path_house import Caller, House, eventually, run
from path_work import batch, fix, receive, register_crew, step

from server.adapters import decision_inputs, plan_store
from server.adapters.pool import Pool

T0 = datetime(2026, 1, 14, 4, 0, tzinfo=UTC)
"""Noon in the city."""


def crews_on_duty(house: House, *names: str, **more: Any) -> None:
    """Crews for pipes and flats with a fix each, the first nearest to the first building."""
    body = {"trades": ["secondary", "indoor"], "certificates": ["welder"], "skill": 3} | more
    for name in names:
        register_crew(house.source, name, **body)
    at = int(house.business_now().timestamp())
    items = [fix(n, at, lon=126.63 + 0.004 * i, lat=45.751) for i, n in enumerate(names, 1)]
    assert batch(house.source, "crew-positions", *items)["accepted"] == len(names)
    for name in names:
        eventually(
            lambda name=name: house.person.get(f"/api/crews/{name}")["state"] != "off",
            f"{name} is on duty",
        )


def waiting(by: Caller, **more: Any) -> Any:
    """A ticket that was accepted."""
    return step(by, receive(by, **({"separate": True} | more)), "accept")


def standing(house: House, ticket: Any) -> dict[str, Any]:
    """The proposal on the screens; empty while there is none."""
    rows = house.person.get("/api/layers/proposals")["rows"]
    return next((r["row"] for r in rows if r["key"] == ticket["id"]), {})


def proposed(house: House, ticket: Any) -> dict[str, Any]:
    """The proposal once it is there with a crew."""

    def look() -> dict[str, Any]:
        row = standing(house, ticket)
        return row if row.get("choices") else {}

    return eventually(look, f"{ticket['id']} has a proposal")


def confirm(by: Caller, ticket: Any, proposal: Any, crew: str | None = None, **more: Any) -> Any:
    """The answer to a confirmation of a proposal, the best crew if none is named."""
    body = {
        "version": ticket["version"],
        "crew": crew or proposal["choices"][0]["crew"],
        "decision": proposal["decision"],
    }
    return by.post(f"/api/tickets/{ticket['id']}/dispatch", body | more)


def now_of(house: House, ticket: Any) -> Any:
    """The ticket as it is."""
    return house.person.get(f"/api/tickets/{ticket['id']}")["ticket"]


def kinds(house: House, ticket: Any) -> list[str]:
    """Its facts, oldest first."""
    rows = house.sql(
        "SELECT kind FROM journal WHERE company_id = $1 AND stream = $2 ORDER BY version",
        house.company,
        f"ticket:{ticket['id']}",
    )
    return [r[0] for r in rows]


def decided_on(house: House) -> list[bytes]:
    """All that decisions were made from, what was asked and answered, and the plan in force, as it
    stands in the database, in the clear."""

    async def look() -> list[bytes]:
        pool = Pool(house.app_url, size=1, name="test-decided")
        try:
            async with pool.company(house.company) as c:
                inputs = await c.fetch("SELECT digest FROM decision_input")
                pieces = {}
                for row in inputs:
                    pieces |= await decision_inputs.load(c, house.company, row["digest"])
                made = await c.fetch("SELECT digest FROM decision")
                digests = [row["digest"] for row in made]
                decisions = await plan_store.load_decisions(c, house.company, digests)
                plans = await c.fetch("SELECT body FROM plan_head")
        finally:
            await pool.close()
        answers = [body for d in decisions.values() for body in (d.asked, d.answer)]
        return [*pieces.values(), *answers, *(zlib.decompress(p["body"]) for p in plans)]

    return run(look())
