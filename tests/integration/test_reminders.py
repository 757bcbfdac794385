"""Reminders against a real database: who is written to, once, in lots, through a crash, counted."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import asyncpg
import msgspec
import pytest
from path_house import HOUSEHOLDS, fill_register, run

from dispatch_core.campaigns import Campaign
from server.adapters import accounts, clock, lease
from server.adapters.campaigns import CampaignReads
from server.adapters.clock import BusinessClock
from server.adapters.engine_store import Beside, EngineStore, EngineTransaction
from server.adapters.gateways import Gateways
from server.adapters.keys import Keys
from server.adapters.message_store import Lane, Told
from server.adapters.migrate import app_dsn
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.residents import save_secrets
from server.adapters.vault import Vault
from server.jobs import reminders
from server.jobs.delivery import Delivery
from server.ports import SecretPerson

DAY = datetime(2026, 10, 1, 2, 0, tzinfo=UTC)
"""10:00 in the city, 30 days before 31 October."""
CAMPAIGN = "suspension_deadline-2026-2027-30"
Job = Callable[[EngineTransaction], Awaitable[int]]


@dataclass
class Office:
    """A company of 60 households and the leader's store, without processes."""

    dsn: str
    keys: Keys
    company: int

    @asynccontextmanager
    async def store(self) -> AsyncIterator[tuple[Pool, EngineStore]]:
        pool = Pool(app_dsn(self.dsn, self.keys), size=2)
        times = BusinessClock()
        try:
            await times.load(pool)
            async with pool.company(self.company) as c:
                generation = (await lease.read(c))[0]
            rest = Beside(Vault(self.keys), Policies(pool, Path("/nowhere")))
            yield pool, EngineStore(pool, times, self.keys.get("journal"), generation, rest)
        finally:
            await pool.close()

    def do(self, job: Job, *, rounds: int = 1) -> list[int]:
        """What the core does with a job, some rounds of it; how many facts each said."""

        async def work() -> list[int]:
            said = []
            async with self.store() as (_, store):
                for _ in range(rounds):
                    async with store.company(self.company) as tx:
                        said.append(await job(tx))
                        if said[-1]:
                            await tx.flush()
            return said

        return run(work())

    def carry(self, folder: Path) -> int:
        """Residents' messages that the gateways were given, of one lot."""

        async def work() -> int:
            async with self.store() as (_, store):
                delivery = Delivery(store, cast("Any", None), Gateways(folder))
                return await delivery._carry(self.company, "remind", Lane("resident", None))

        return run(work())

    def sql(self, query: str, *args: Any) -> list[asyncpg.Record]:
        async def ask() -> list[asyncpg.Record]:
            c = await asyncpg.connect(self.dsn)
            try:
                return list(await c.fetch(query, *args))
            finally:
                await c.close()

        return run(ask())

    def set_clock(self, at: datetime) -> None:
        run(clock.set_clock(self.dsn, at, 1.0))

    def campaign(self, name: str = CAMPAIGN) -> Campaign:
        (row,) = self.sql("SELECT state FROM stream_head WHERE stream = $1", f"campaign:{name}")
        return msgspec.json.decode(row[0], type=Campaign)

    def campaigns(self) -> list[str]:
        return [r[0] for r in self.sql("SELECT campaign_id FROM campaign ORDER BY 1")]

    def messages(self) -> list[dict[str, Any]]:
        """The bodies that stand, opened."""
        vault = Vault(self.keys)
        rows = self.sql("SELECT target, about, kind, body FROM message ORDER BY message_id")
        return [
            {"target": r["target"], "about": r["about"], "kind": r["kind"]}
            | msgspec.json.decode(vault.open_message(self.company, r["about"], r["body"]))
            for r in rows
        ]

    def detail(self, limit: int = 100, after: str | None = None) -> Any:
        async def ask() -> Any:
            async with self.store() as (pool, _):
                reads = CampaignReads(pool)
                return await reads.detail(self.company, CAMPAIGN, limit, after)  # type: ignore[arg-type]

        return run(ask())


@pytest.fixture
def office(fresh_database: str, engines: Any) -> Office:
    company = run(accounts.ensure_company(fresh_database, "remind", "Remind"))
    run(fill_register(fresh_database, company))
    opened = Office(fresh_database, Keys(engines.keys), company)
    run(_owners(opened))
    opened.sql("UPDATE company SET policy = 'harbin' WHERE company_id = $1", company)
    opened.set_clock(DAY)
    return opened


async def _owners(office: Office) -> None:
    """All but two owners have a phone; the first owns the last household too."""
    c = await asyncpg.connect(office.dsn)
    try:
        people = [
            SecretPerson(f"p-{n:04d}", f"户主{n}", None if n in (7, 8) else f"000-{n:07d}9")
            for n in range(len(HOUSEHOLDS) - 1)
        ]
        await save_secrets(c, office.company, Vault(office.keys), people, ())
        await c.execute(
            "UPDATE household SET pseudonym = 'p-0000' WHERE household_id = $1", HOUSEHOLDS[-1]
        )
    finally:
        await c.close()


def stand(office: Office, household: str, service: str) -> None:
    office.sql(
        "INSERT INTO household_standing (company_id, season, household_id, service)"
        " VALUES ($1, '2026-2027', $2, $3)",
        office.company, household, service,
    )  # fmt: skip


def apply_for(office: Office, household: str, action: str, state: str) -> None:
    office.sql(
        "INSERT INTO application (company_id, application_id, household_id, building_id, season,"
        " action, state, source, address, times, because, applied_at, known, late)"
        " VALUES ($1, $2, $2, 'B01', '2026-2027', $3, $4, 'app', '', 1, '{}', $5, '{}', false)",
        office.company, household, action, state, DAY,
    )  # fmt: skip


def test_who_is_reminded_and_what_they_are_told(office: Office) -> None:
    stand(office, HOUSEHOLDS[1], "suspended")
    stand(office, HOUSEHOLDS[2], "heated")
    apply_for(office, HOUSEHOLDS[3], "suspension", "approved")
    apply_for(office, HOUSEHOLDS[4], "temporary_stop", "referred")
    apply_for(office, HOUSEHOLDS[5], "suspension", "refused")
    assert office.do(reminders.start_due, rounds=2) == [1, 0]
    assert office.campaign().recipients is None
    assert office.do(reminders.write, rounds=3) == [1, 0, 0]
    campaign = office.campaign()
    # 60 households, 59 owners; one suspended, two with an application under way
    assert (campaign.recipients, campaign.without_phone) == (56, 2)
    messages = office.messages()
    assert len({m["target"] for m in messages}) == len(messages) == 54
    assert {m["kind"] for m in messages} == {"reminder"}
    assert {m["about"] for m in messages} == {f"campaign:{CAMPAIGN}"}
    told = {m["phone"]: m for m in messages}
    assert told["000-00000009"]["name"] == "户主0"
    assert "还剩 30 天" in told["000-00000009"]["text"]
    assert "10月31日" in told["000-00000009"]["text"]
    absent = {f"000-{n:07d}9" for n in (1, 3, 4, 7, 8)}
    assert not absent & set(told)
    assert {"000-00000029", "000-00000059"} <= set(told)
    stored = office.sql("SELECT body FROM journal") + office.sql("SELECT body FROM outbox")
    assert not any("000-0" in r[0] or "户主" in r[0] for r in stored)


def test_it_is_written_in_lots_and_a_crash_between_loses_and_doubles_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "LOT", 10)
    office.do(reminders.start_due)
    office.do(reminders.write, rounds=3)
    assert len(office.messages()) == 20

    async def dies(tx: EngineTransaction) -> int:
        await reminders.write(tx)
        raise OSError("the core was killed before its commit")

    with pytest.raises(Exception, match=r"killed|database"):
        office.do(dies)
    assert len(office.messages()) == 20
    office.do(reminders.write, rounds=10)
    targets = [m["target"] for m in office.messages()]
    assert len(set(targets)) == len(targets) == 57


def test_not_at_night_and_not_after_the_deadline(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "LOT", 10)
    office.set_clock(DAY - timedelta(hours=2))
    assert office.do(reminders.start_due) == [0]
    office.set_clock(DAY)
    office.do(reminders.start_due)
    office.do(reminders.write, rounds=2)
    office.set_clock(DAY + timedelta(hours=12))
    office.do(reminders.write, rounds=3)
    assert len(office.messages()) == 10
    office.set_clock(DAY + timedelta(days=1))
    office.do(reminders.write)
    assert "还剩 29 天" in office.messages()[-1]["text"]
    assert len(office.messages()) == 20
    office.sql("UPDATE message SET state = 'sent', sent_at = now()")
    office.set_clock(datetime(2026, 10, 31, 16, 0, tzinfo=UTC))  # the midnight that ends it
    office.do(reminders.write, rounds=3)
    assert len(office.messages()) == 20
    assert office.do(reminders.start_due) == [0]
    office.do(reminders.count)
    ended = office.campaign()
    assert (ended.sent, ended.never_reached) == (20, 39)
    detail = office.detail(limit=2)
    assert (detail.never_reached, detail.households_never_reached.total) == (39, 39)
    assert {i.why for i in office.detail().households_never_reached.items} == {
        "no_phone", "not_sent",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("local_day", "name"),
    [((2026, 10, 3), "30"), ((2026, 10, 20), "15"), ((2026, 10, 31), "7")],
)
def test_a_core_that_was_down_catches_up_the_last_one_missed(
    office: Office, local_day: tuple[int, int, int], name: str
) -> None:
    office.set_clock(datetime(*local_day, 3, 0, tzinfo=UTC))
    assert office.do(reminders.start_due, rounds=2) == [1, 0]
    assert office.campaigns() == [f"suspension_deadline-2026-2027-{name}"]


def test_each_of_the_three_days_starts_one(office: Office) -> None:
    for day in range(31):
        office.set_clock(DAY + timedelta(days=day))
        office.do(reminders.start_due)
    assert sorted(office.campaigns()) == [
        f"suspension_deadline-2026-2027-{n}" for n in ("15", "30", "7")
    ]


def test_outcomes_are_counted_to_the_end(office: Office) -> None:
    office.do(reminders.start_due)
    office.do(reminders.write, rounds=2)
    assert office.do(reminders.count) == [0]  # nothing has an outcome
    office.sql("UPDATE message SET state = 'sent' WHERE message_id % 2 = 0")
    assert office.do(reminders.count, rounds=2) == [1, 0]
    first = office.campaign()
    assert first.ended_at is None
    assert first.sent == office.sql("SELECT count(*) FROM message WHERE state = 'sent'")[0][0]
    office.sql("UPDATE message SET state = 'delivered' WHERE state = 'waiting'")
    failed = office.sql(
        "UPDATE message SET state = 'failed' WHERE target IN ('p-0000', 'p-0003') RETURNING 1"
    )
    assert len(failed) == 2
    office.set_clock(DAY + timedelta(minutes=1))

    async def hear(tx: EngineTransaction) -> int:
        return await reminders.delivered(tx, [_told("sent"), _told("failed")])

    assert office.do(hear, rounds=2) == [1, 0]
    ended = office.campaign()
    assert ended.ended_at is not None
    assert (ended.failed, ended.never_reached) == (2, 4)
    assert ended.sent + ended.never_reached == ended.recipients
    detail = office.detail(limit=3)
    assert (detail.sent, detail.delivered, detail.failed) == (
        ended.sent, ended.delivered, 2,
    )  # fmt: skip
    page = detail.households_never_reached
    # the owner of two households failed: both are listed
    assert page.total == 5
    rest = office.detail(limit=3, after=page.next).households_never_reached
    listed = {i.household: i.why for i in [*page.items, *rest.items]}
    assert rest.next is None
    assert listed == {
        "H-001": "failed", "H-004": "failed", "H-008": "no_phone", "H-009": "no_phone",
        "H-060": "failed",
    }  # fmt: skip


def _told(state: Any) -> Told:
    return Told(
        message_id=1, channel="resident", target="p-0000", kind="reminder",
        about=f"campaign:{CAMPAIGN}", state=state, was=None, way="file", at=0,
        written_at=0, by="gateway",
    )  # fmt: skip


def test_a_resident_who_is_erased_meanwhile_counts_as_without_a_phone(office: Office) -> None:
    office.do(reminders.start_due)
    office.do(reminders.write)
    office.sql("DELETE FROM person WHERE pseudonym = 'p-0010'")
    office.do(reminders.write, rounds=2)
    assert len(office.messages()) == 56
    office.sql("UPDATE message SET state = 'sent'")
    office.do(reminders.count)
    assert (office.campaign().sent, office.campaign().never_reached) == (56, 3)


def test_the_campaign_of_another_process_is_left_alone(office: Office) -> None:
    """Two cores at a take-over: who cannot lock the stream starts nothing."""

    async def both() -> Sequence[int]:
        async with office.store() as (_, one), office.store() as (_, two):
            async with one.company(office.company) as tx:
                said = [await reminders.start_due(tx)]
                async with two.company(office.company) as other:
                    said.append(await reminders.start_due(other))
                await tx.flush()
            return said

    assert run(both()) == [1, 0]
    assert office.campaigns() == [CAMPAIGN]


def test_what_a_gateway_did_not_take_waits_for_the_morning_and_ends_with_the_deadline(
    office: Office, tmp_path: Path
) -> None:
    office.do(reminders.start_due)
    office.do(reminders.write, rounds=2)
    office.set_clock(DAY + timedelta(hours=16))  # 02:00 in the city: the core is back
    assert office.carry(tmp_path) == 0
    office.sql("UPDATE message SET next_at = now() + interval '1 hour' WHERE target <> 'p-0000'")
    office.set_clock(DAY + timedelta(days=1))
    assert office.carry(tmp_path) == 1
    office.sql("UPDATE message SET next_at = now() WHERE state = 'waiting'")
    office.set_clock(datetime(2026, 10, 31, 16, 0, tzinfo=UTC))  # the midnight that ends it
    assert office.carry(tmp_path) == 0
    office.do(reminders.count)
    ended = office.campaign()
    assert ended.ended_at is not None
    assert (ended.sent, ended.failed) == (1, 56)
    office.set_clock(datetime(2026, 11, 1, 3, 0, tzinfo=UTC))
    assert office.carry(tmp_path) == 0
    assert {r[0] for r in office.sql("SELECT error FROM message WHERE state = 'failed'")} == {
        "not taken before the deadline"
    }
