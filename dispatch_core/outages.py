"""Outages: heat shut off at a node of the heat tree, until when, and when it was back."""

from __future__ import annotations

from datetime import datetime

import msgspec

from dispatch_core.commands import EndOutage, ExtendOutage, OpenOutage, OutageCommand
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.events import Event, OutageEnded, OutageExtended, OutageOpened
from dispatch_core.ids import BuildingId, NodeKind, OutageCause, unix

LONGEST_S = 7 * 86_400
"""So far ahead an end may be expected: tickets count as explained until then."""


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """An outage after `version` facts; times are Unix seconds."""

    version: int
    name: str
    node_kind: NodeKind
    node: str
    lon: float
    lat: float
    buildings: list[BuildingId]
    households: int
    cause: OutageCause
    opened_at: int
    expected_end_at: int
    ended_at: int | None = None

    def present(self) -> dict[str, object]:
        """The present state as JSON-ready facts, for a refusal."""
        return {
            "state": "open" if self.ended_at is None else "ended",
            "version": self.version,
            "expected_end_at": self.expected_end_at,
            "ended_at": self.ended_at,
        }


def decide(outage: Outage | None, command: OutageCommand, now: datetime) -> list[Event]:
    """The facts that a command makes.

    Raises NotFound `no_such_outage`; Conflict `already_exists`, `version_conflict`, `outage_ended`;
    Invalid `bad_expected_end`, `nothing_behind_node`, `reason_needed`.
    """
    at = unix(now)
    if isinstance(command, OpenOutage):
        return [_open(outage, command, at)]
    if outage is None:
        raise NotFound("no_such_outage", "There is no such outage.", "Check its number.")
    if outage.ended_at is not None:
        raise Conflict(
            "outage_ended", "The outage has ended.", "Open a new one if heat is off.",
            outage.present(),
        )  # fmt: skip
    if command.version != outage.version:
        raise Conflict(
            "version_conflict",
            f"The outage has changed: it is at version {outage.version}.",
            "Look at the outage as it is now and decide again.",
            outage.present(),
        )
    if isinstance(command, EndOutage):
        return [OutageEnded(name=outage.name, lasted_s=max(0, at - outage.opened_at))]
    return [_extend(outage, command, at)]


def _check_end(expected_end_at: int, at: int) -> None:
    if not at < expected_end_at <= at + LONGEST_S:
        raise Invalid(
            "bad_expected_end",
            "The expected end does not lie within the 7 days to come.",
            "Give a time within 7 days; extend the outage if it lasts longer.",
        )


def _open(outage: Outage | None, command: OpenOutage, at: int) -> OutageOpened:
    if outage is not None:
        raise Conflict(
            "already_exists", "There is such an outage already.", "Look at it.", outage.present()
        )
    _check_end(command.expected_end_at, at)
    if not command.buildings:
        raise Invalid(
            "nothing_behind_node",
            f"No building hangs on {command.name}.",
            "Choose the node whose valve was closed, or complete the heat tree.",
        )
    if command.cause == "other" and command.reason is None:
        raise Invalid(
            "reason_needed", "“Other” says nothing by itself.", "Write the cause in a few words."
        )
    return OutageOpened(
        name=command.name,
        node_kind=command.node_kind,
        node=command.node,
        lon=command.lon,
        lat=command.lat,
        buildings=command.buildings,
        households=command.households,
        cause=command.cause,
        expected_end_at=command.expected_end_at,
        reason=command.reason,
    )


def _extend(outage: Outage, command: ExtendOutage, at: int) -> OutageExtended:
    _check_end(command.expected_end_at, at)
    return OutageExtended(
        name=outage.name, expected_end_at=command.expected_end_at, reason=command.reason
    )


def apply(outage: Outage | None, event: Event, at: int) -> Outage:
    """The outage after one more fact. Raises ValueError for one that cannot be its next."""
    match event:
        case OutageOpened() if outage is None:
            return Outage(
                version=1,
                name=event.name,
                node_kind=event.node_kind,
                node=event.node,
                lon=event.lon,
                lat=event.lat,
                buildings=event.buildings,
                households=event.households,
                cause=event.cause,
                opened_at=at,
                expected_end_at=event.expected_end_at,
            )
        case OutageExtended() if outage is not None:
            return msgspec.structs.replace(
                outage, version=outage.version + 1, expected_end_at=event.expected_end_at
            )
        case OutageEnded() if outage is not None:
            return msgspec.structs.replace(outage, version=outage.version + 1, ended_at=at)
        case _:
            raise ValueError(f"{type(event).__name__} cannot be the next fact of an outage")
