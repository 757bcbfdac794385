"""Permits for dangerous work: a confined space needs air that was measured, and a guard."""

from __future__ import annotations

import math
from collections.abc import Iterator

from dispatch_core.commands import GasLimits, Permit
from dispatch_core.errors import Invalid
from dispatch_core.events import Gas


def check_permit(command: Permit, at: int) -> None:
    """Raises Invalid `bad_permit` without a number, `permit_expired`, `bad_gas`."""
    if not command.number.strip():
        raise Invalid("bad_permit", "A permit has a number.", "Write its number.")
    if command.valid_until <= at:
        raise Invalid(
            "permit_expired", "The permit has run out already.", "Have a new permit written."
        )
    if command.permit == "confined_space" and (command.gas is None or not command.guard):
        raise Invalid(
            "bad_gas",
            "Nobody goes into a confined space without a gas reading and a guard outside.",
            "Measure the gas, name the guard, and write both down.",
        )
    if command.gas is not None:
        wrong = next(gas_refused(command.gas, command.limits, at), None)
        if wrong is not None:
            raise Invalid(
                "bad_gas", f"Nobody may go in: {wrong}.", "Ventilate, and measure the gas again."
            )


def gas_refused(gas: Gas, limits: GasLimits, at: int) -> Iterator[str]:
    """Each value of a reading that lets nobody in, in words."""
    measured = (gas.oxygen_pct, gas.lel_pct, gas.co_ppm, gas.h2s_ppm)
    if not all(math.isfinite(value) and value >= 0 for value in measured):
        yield "a value that no instrument shows"
        return
    low, high = limits.oxygen_min_pct, limits.oxygen_max_pct
    if not low <= gas.oxygen_pct <= high:
        yield f"oxygen {gas.oxygen_pct:g} %, allowed {low:g} to {high:g} %"
    for name, value, below, unit in (
        ("combustible gas", gas.lel_pct, limits.lel_max_pct, "% LEL"),
        ("carbon monoxide", gas.co_ppm, limits.co_max_ppm, "ppm"),
        ("hydrogen sulfide", gas.h2s_ppm, limits.h2s_max_ppm, "ppm"),
    ):
        if value >= below:
            yield f"{name} {value:g} {unit}, allowed below {below:g} {unit}"
    if not at - limits.valid_s <= gas.read_at <= at + 60:
        yield f"the gas was not measured within the last {limits.valid_s // 60} minutes"
