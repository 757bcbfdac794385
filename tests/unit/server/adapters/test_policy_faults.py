"""The line of a policy file that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatch_core.errors import Unavailable
from server.adapters.policies import SHIPPED, read_policy
from server.adapters.policy_faults import fault_of

GOOD = (SHIPPED / "default" / "default.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new", "line_says"),
    [
        ("churn_s = 900", "churn_s = -1", "churn_s"),
        ("churn_s = 900", "churn_s = 900\nchurn_t = 1", "churn_t"),
        ('home_from = "08:00"', 'home_from = "25:00"', "home_from"),
        ("every_s = 20", "every_s = = 20", "every_s"),
        ("most = 3", 'most = "three"', "most"),
        ("within_m = 60.0", "within_m = nan", "within_m"),
        ("window_after_s = 900", "window_after_s = -1", "window_after_s"),
        ("clocks_fail_s = 3600", "clocks_fail_s = 30", "clocks_fail_s"),
        ("no_answer_most = 3", "no_answer_most = 0", "no_answer_most"),
        ('slots = ["room", ', 'slots = ["lounge", ', "slots"),
        ('slots = ["room", ', 'slots = ["windows", ', "evidence.required"),
        ('name = "temperature"', 'name = "repair"', "evidence.required"),
        ('kinds = ["repair", "leak"]\nresident = true', "", "evidence.required"),
    ],
)
def test_the_line_is_told(tmp_path: Path, old: str, new: str, line_says: str) -> None:
    file = tmp_path / "default.toml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1), "utf-8")
    with pytest.raises(Unavailable) as refused:
        read_policy(file, "2025-2026", "Asia/Shanghai")
    fault = fault_of(file, refused.value.detail)
    assert fault.line is not None, fault.detail
    assert line_says in file.read_text("utf-8").splitlines()[fault.line - 1]


def test_a_file_that_is_no_text_has_no_line(tmp_path: Path) -> None:
    file = tmp_path / "default.toml"
    file.write_bytes(b"\xff\xfe")
    assert fault_of(file, "it cannot be read").line is None
