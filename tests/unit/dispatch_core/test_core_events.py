"""The catalogue: every event survives its encoding, and old bodies are brought up to date."""

from __future__ import annotations

import typing
from typing import Any

import msgspec
import pytest

from dispatch_core import events
from dispatch_core.errors import Invalid
from dispatch_core.events import CATALOGUE, Entry, Event, decode, encode, kind_of
from dispatch_core.ids import split_stream, stream_of

FORBIDDEN = {"name_of_resident", "phone", "flat", "resident_name", "caller", "unit"}
HOUSEHOLD_NUMBERS = {"household", "households"}
"""A household's number is an id; these events are about a household's heating or its ticket."""
ABOUT_A_HOUSEHOLD = {
    "StopApplied", "VisitPlanned", "VisitJoined", "TicketReceived", "TicketPlaced",
}  # fmt: skip


def example(kind: Any) -> Any:
    """Some value of a type, built from its annotations."""
    info = msgspec.inspect.type_info(kind)
    return _example(info)


def _example(info: msgspec.inspect.Type) -> Any:
    i = msgspec.inspect
    match info:
        case i.StructType():
            return info.cls(**{f.name: _example(f.type) for f in info.fields})
        case i.LiteralType():
            return info.values[0]
        case i.UnionType():
            return _example(next(t for t in info.types if not isinstance(t, i.NoneType)))
        case i.ListType():
            return [_example(info.item_type)]
        case i.DictType():
            return {_example(info.key_type): _example(info.value_type)}
        case i.IntType():
            return 7
        case i.BoolType():
            return True
        case i.FloatType():
            return 1.5
        case i.StrType():
            return "道里区"
        case i.CustomType() if isinstance(info.cls, typing.NewType):
            return info.cls.__supertype__("x1")
    raise AssertionError(info)


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_every_event_survives_its_encoding(kind: str) -> None:
    event = example(CATALOGUE[kind].struct)
    assert decode(kind, CATALOGUE[kind].v, encode(event)) == event
    assert kind_of(type(event)) == kind


def test_the_catalogue_is_the_union() -> None:
    assert {entry.struct for entry in CATALOGUE.values()} == set(typing.get_args(Event))
    told = {kind for kind, entry in CATALOGUE.items() if not entry.journalled}
    assert told == {
        "crew_positions", "network_state", "weather_observed", "requests_figure", "closing_figure",
        "rooms_figure", "supply_figure", "source_heartbeat", "ticket_proposed",
        "crew_day_planned", "proposal_withdrawn", "plan_figures", "round_changed",
        "evidence_stands", "evidence_settled",
    }  # fmt: skip


def test_no_event_has_a_field_for_a_resident() -> None:
    schema = msgspec.json.schema(Event)
    names = {name for struct in schema["$defs"].values() for name in struct.get("properties", {})}
    assert not names & FORBIDDEN
    with_household = {
        name
        for name, struct in schema["$defs"].items()
        for field in HOUSEHOLD_NUMBERS & struct.get("properties", {}).keys()
        # figures count households; a number of one is text
        if struct["properties"][field].get("type") != "integer"
    }
    assert with_household <= ABOUT_A_HOUSEHOLD
    assert "resident" in names  # the pseudonym


def test_an_old_body_is_brought_up_to_date_step_by_step() -> None:
    def add_cadence(raw: dict[str, Any]) -> dict[str, Any]:
        return {**raw, "cadence": 60}

    def rename_cadence(raw: dict[str, Any]) -> dict[str, Any]:
        return {**{k: v for k, v in raw.items() if k != "cadence"}, "cadence_s": raw["cadence"]}

    newer = {
        "source_heartbeat": Entry(
            struct=events.SourceHeartbeat,
            v=3,
            upcasters=[add_cadence, rename_cadence],
            journalled=False,
        )
    }
    now = events.SourceHeartbeat(source="sensors", topics=["rooms"], cadence_s=60)
    first = b'{"kind":"source_heartbeat","source":"sensors","topics":["rooms"]}'
    second = b'{"kind":"source_heartbeat","source":"sensors","topics":["rooms"],"cadence":60}'
    assert decode("source_heartbeat", 1, first, newer) == now
    assert decode("source_heartbeat", 2, second, newer) == now
    assert decode("source_heartbeat", 3, encode(now), newer) == now


@pytest.mark.parametrize(
    ("kind", "v"), [("nonsense", 1), ("crew_released", 0), ("crew_released", 99)]
)
def test_an_unknown_kind_or_version_is_refused(kind: str, v: int) -> None:
    with pytest.raises(Invalid) as refused:
        decode(kind, v, b"{}")
    assert refused.value.code == "unknown_event"


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"kind":"outage_ended"}', b'{"kind":"crew_released"}']
)
def test_a_broken_body_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        decode("outage_ended", 1, body)
    assert refused.value.code == "bad_event"


def test_a_stream_keeps_the_colons_of_its_name() -> None:
    assert stream_of("cell", "100:3:-4") == "cell:100:3:-4"
    assert split_stream("cell:100:3:-4") == ("cell", "100:3:-4")
    for wrong in ("", "cell", "cell:", "person:1", ":1"):
        with pytest.raises(ValueError, match="no stream"):
            split_stream(wrong)
    for wrong in ("", "a\nb", "a\0"):
        with pytest.raises(ValueError, match="no identifier"):
            stream_of("ticket", wrong)
