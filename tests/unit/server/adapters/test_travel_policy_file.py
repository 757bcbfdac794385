"""The `[travel]` table of a policy file."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_core.errors import Unavailable
from geo.travel_policy import TravelPolicy
from server.adapters.policies import SHIPPED, read_policy
from server.ports import CityPolicy


def read(text: str, folder: Path) -> CityPolicy:
    file = folder / "own.toml"
    file.write_text(text, "utf-8")
    return read_policy(file, "2026-2027", "Asia/Shanghai")


@pytest.fixture(params=sorted(p.name for p in SHIPPED.iterdir() if p.is_dir()))
def shipped(request: pytest.FixtureRequest) -> str:
    return (SHIPPED / request.param / "default.toml").read_text("utf-8")


def test_what_is_shipped_says_what_holds_without_it(shipped, tmp_path):
    assert read(shipped, tmp_path).travel == TravelPolicy()
    before, _, rest = shipped.partition("\n[travel]\n")
    without = before + "\n[" + rest.partition("\n[")[2] if "\n[" in rest else before
    assert read(without, tmp_path).travel == TravelPolicy()


def test_a_companys_own_figures_hold(shipped, tmp_path):
    own = shipped.replace("detour_pm = 1350", "detour_pm = 1500")
    assert read(own, tmp_path).travel.detour_pm == 1500


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("detour_pm = 1350", "detour_pm = 900", "travel.detour_pm"),
        ("spread_pm = 1400", "spread_pm = 1.4", "travel.spread_pm"),
        ("learn_days = 56", "learn_days = 56\nspeed = 3", "travel"),
        ("workday_kmh = [32, ", "workday_kmh = [", "travel.workday_kmh"),
        ("weekend_kmh = [32, ", "weekend_kmh = [0, ", "travel.weekend_kmh"),
        ("position_fresh_s = 120", "position_fresh_s = 4000", "first fresh"),
    ],
)
def test_figures_of_no_city_are_refused_by_name(shipped, tmp_path, was, becomes, said):
    assert was in shipped
    with pytest.raises(Unavailable) as refused:
        read(shipped.replace(was, becomes), tmp_path)
    assert refused.value.code == "bad_policy"
    assert said in refused.value.detail
