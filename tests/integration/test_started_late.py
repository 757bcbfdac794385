"""An installation that was switched off for longer than its partitions reach ahead starts again."""

from __future__ import annotations

from typing import Any

from path_house import House, eventually
from path_work import receive


def test_a_core_makes_the_partitions_it_needs(new_house: Any) -> None:
    house: House
    with new_house(cores=0, webs=0) as house:
        names = [
            r["relname"]
            for r in house.sql(
                "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
                " JOIN pg_class p ON p.oid = i.inhparent WHERE p.relname IN"
                " ('feed_log', 'room_reading', 'network_reading', 'crew_fix', 'weather', 'mention')"
                " AND c.relkind = 'r'"
            )
        ]
        assert names
        for name in names:
            house.sql(f"DROP TABLE {name}")
        house.core()
        house.web()
        ticket = receive(house.person)["id"]
        eventually(
            lambda: house.sql(
                "SELECT 1 FROM layer_row WHERE topic = 'tickets' AND key = $1", ticket
            ),
            "the ticket is on the layer",
        )
