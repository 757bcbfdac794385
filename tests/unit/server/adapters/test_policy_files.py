"""Policy files that can be read as TOML and yet cannot be decided by."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_core.errors import Unavailable
from server.adapters.policies import SHIPPED, read_policy


@pytest.mark.parametrize("file", sorted(SHIPPED.glob("*/*.toml")), ids=lambda f: f.parent.name)
def test_the_products_own_are_good(file: Path) -> None:
    assert read_policy(file, "2026-2027", "Asia/Shanghai").season == "2026-2027"


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("base_fee_pct = 30.0", "base_fee_pct = nan"),
        ("base_fee_pct = 30.0", "base_fee_pct = 300.0"),
        ("fee_fen_per_m2 = 3832", "fee_fen_per_m2 = -3832"),
        ("misses_max = 3", "misses_max = 0"),
        ("visit_within_s = 259200", "visit_within_s = 999999999999"),
        ("known_within_s = 86400", "known_within_s = -1"),
        ("temporary_min_days = 30", "temporary_min_days = 91"),
        ('deadline = "09-30"', 'deadline = "2025-09-30"'),
        ('deadline = "09-30"', 'deadline = "06-30"'),
        ('season_until = "04-15"', 'season_until = "10-01"'),
        ('send_from = "09:00"', 'send_from = "25:00"'),
        ('send_from = "09:00"', 'send_from = "21:00"'),
        ("days_before = [30, 15, 7]", "days_before = [-1]"),
        ("attempts_max = 8", "attempts_max = 0"),
        ("reply_s = 432000", "reply_s = 99999999999999"),
        ("extensions_max = 1", "extensions_max = -1"),
    ],
)
def test_figures_that_make_no_sense_are_refused(tmp_path: Path, good: str, bad: str) -> None:
    text = (SHIPPED / "default" / "default.toml").read_text("utf-8")
    assert good in text
    file = tmp_path / "default.toml"
    file.write_text(text.replace(good, bad), "utf-8")
    with pytest.raises(Unavailable) as refusal:
        read_policy(file, "2026-2027", "Asia/Shanghai")
    assert refusal.value.code == "bad_policy"
    assert "default.toml" in refusal.value.detail
