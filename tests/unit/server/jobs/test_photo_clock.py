"""The phone's clock beside the server's reaches the judge, and says nothing where nobody knows."""

from __future__ import annotations

from msgspec.structs import replace
from test_photo_facts import record

from dispatch_core.evidence import POLICY, Likeness, SiteWindow, judge
from server.jobs.photo_asks import Look
from server.jobs.photo_facts import facts_of


def test_a_phones_wrong_clock_is_seen_in_its_photos() -> None:
    plain = record()
    for skew, outcome in ((None, "unknown"), (4, "pass"), (900, "warn"), (-7200, "fail")):
        told = replace(plain, taken=replace(plain.taken, session_skew_s=skew))
        found = judge(facts_of(Look(), told), SiteWindow(), Likeness(), POLICY)
        assert next(c.outcome for c in found.checks if c.code == "clocks_agree") == outcome
