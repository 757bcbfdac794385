"""The feed's contract: a snapshot at any point and the batches after it are the
fresh snapshot at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from path_day import Day, journal_picture, stored_picture
from path_house import House, NewHouse, eventually
from path_screen import TOPICS, Screen, converge

MOST_SCREENS = 4


@pytest.fixture(scope="module")
def city(new_house: NewHouse) -> Iterator[House]:
    """Two web processes and one core."""
    with new_house(webs=2) as house:
        yield house


@pytest.fixture(scope="module")
def day(city: House) -> Day:
    day = Day(city)
    day.begin()
    return day


def settled(house: House) -> None:
    """Everything committed has been folded."""
    eventually(lambda: not house.sql("SELECT 1 FROM outbox LIMIT 1"), "the outbox is empty")


def unchanged(house: House, screen: Screen, topics: list[str]) -> bool:
    """The feed stands where the screen stands: the core, which goes on watching the clock, said
    nothing while the others were read."""
    rows = house.sql(
        "SELECT topic, epoch, seq FROM feed_head WHERE company_id = $1 AND topic = ANY($2::text[])",
        house.company,
        topics,
    )
    heads = {row["topic"]: (row["epoch"], row["seq"]) for row in rows}
    waiting = house.sql("SELECT 1 FROM outbox LIMIT 1")
    return not waiting and heads == {topic: screen.views[topic].position for topic in topics}


def check_everything(day: Day, screens: list[Screen], what: str) -> None:
    """All screens, a fresh one of each web process,
    the stored rows and the journal say the same."""
    house = day.house
    settled(house)
    fresh = [Screen(house.person.http).open(web.url).loaded() for web in house.webs]
    while True:
        converge([*screens, *fresh], what)
        truth = journal_picture(house)
        stored = stored_picture(house)
        if unchanged(house, fresh[0], list(truth)):
            break
        settled(house)
        for screen in [*screens, *fresh]:  # they agree on what was before the core spoke again
            screen.drain()
    for topic, rows in truth.items():
        assert fresh[0].views[topic].rows == stored.get(topic, {}) == rows, (what, topic)
    for screen in fresh:
        screen.close()


ACTS = st.sampled_from(sorted(Day(None).acts))  # type: ignore[arg-type]
SCREENS = st.sampled_from(["join", "leave", "resume", "read"])
MOVES = st.lists(
    st.one_of(st.tuples(ACTS, st.integers(0, 10**6)), st.tuples(SCREENS, st.integers(0, 10**6))),
    min_size=25, max_size=60,
)  # fmt: skip


class Screens:
    """Screens that come, go, and come back to the other web process."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.here: list[Screen] = []
        self.away: list[Screen] = []

    def act(self, what: str, n: int) -> None:
        url = self._house.webs[n % len(self._house.webs)].url
        if what == "join" and len(self.here) + len(self.away) < MOST_SCREENS:
            self.here.append(Screen(self._house.person.http).open(url).loaded())
        elif what == "leave" and self.here:
            screen = self.here.pop(n % len(self.here))
            screen.close()
            self.away.append(screen)
        elif what == "resume" and self.away:
            self.here.append(self.away.pop(n % len(self.away)).open(url))
        elif what == "read" and self.here:
            self.here[n % len(self.here)].drain()

    def all_back(self) -> list[Screen]:
        while self.away:
            self.act("resume", len(self.away))
        return self.here

    def close(self) -> None:
        for screen in self.here:
            screen.close()


@settings(
    max_examples=6, deadline=None, database=None, derandomize=True,
    phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(moves=MOVES)
def test_any_snapshot_and_its_batches_are_the_fresh_snapshot(
    day: Day, moves: list[tuple[str, int]]
) -> None:
    screens = Screens(day.house)
    acts = day.acts
    try:
        screens.act("join", 0)
        for what, n in moves:
            if what in acts:
                acts[what](n)
            else:
                screens.act(what, n)
        check_everything(day, screens.all_back(), f"{len(moves)} moves")
    finally:
        screens.close()


def test_every_layer_was_touched(day: Day) -> None:
    """Guards the test above: a stream of commands that misses a layer shows nothing about it."""
    for what, n in (
        ("balances", 1),
        ("balances", 2),
        ("mentions", 10),
        ("rooms", 0),
        ("outage", 3),
        ("positions", 1),
    ):
        day.acts[what](n)
    settled(day.house)

    def sealed() -> set[str]:
        query = "SELECT DISTINCT topic FROM feed_log WHERE kind = 'batch'"
        return {r[0] for r in day.house.sql(query)}

    eventually(lambda: sealed() >= set(TOPICS), "a round of the plan too")
    assert sealed() == set(TOPICS)


def test_no_acknowledged_ticket_is_missing_or_there_twice(day: Day) -> None:
    listed: list[str] = []
    query: dict[str, str] = {}
    while True:
        page = day.house.person.get("/api/tickets", limit=100, **query)
        listed += [t["id"] for t in page["items"]]
        if page["next"] is None:
            break
        query = {"after": page["next"]}
    assert len(listed) == len(set(listed))
    assert set(listed) == day.acknowledged
    for ticket in sorted(day.acknowledged)[:20]:
        assert day.house.person.get(f"/api/tickets/{ticket}")["chain"]["holds"]


def test_the_sealed_log_alone_gives_every_sequence(day: Day) -> None:
    """Whoever reads only feed_log, from the first batch on, computes each hash that was sealed."""
    settled(day.house)
    reader = Screen(day.house.person.http)
    rows = day.house.sql(
        "SELECT topic, epoch, seq, hash, sealed FROM feed_log WHERE kind = 'batch'"
        " ORDER BY topic, epoch, seq"
    )
    for r in rows:
        view = reader.views[r["topic"]]
        if view.seq < 0:
            view.epoch, view.seq = r["epoch"], 0
        assert view.seq == r["seq"] - 1, "no sequence is missing"
        reader.take(reader_message(r["sealed"]))
        assert view.hash == r["hash"]
    assert reader.got["again"] == reader.got["ignored"] == 0
    print(f"{len(rows)} sealed batches")


def reader_message(sealed: bytes) -> dict[str, object]:
    import msgspec

    found: dict[str, object] = msgspec.msgpack.decode(sealed)
    return found
