"""Reading over HTTP: layers as snapshots and GeoJSON, ticket lists page by page,
the API's own description."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from path_house import House, eventually
from path_screen import TOPICS, topic_hash
from path_work import batch, carry, crew_on_duty, fix, receive, step


@pytest.fixture(scope="module")
def busy(house: House) -> House:
    """A house with rows in several layers."""
    at = int(house.business_now().timestamp())
    crew = crew_on_duty(house, "RD1")
    receive(house.person, level="red")
    batch(house.source, "crew-positions", fix(crew, at))
    batch(house.source, "room-readings", {"point": "RT-01", "read_at": at, "celsius": 15.5})
    eventually(lambda: house.person.get("/api/layers/rooms")["rows"], "a room is on its layer")
    eventually(lambda: house.person.get("/api/layers/positions")["rows"], "so is the crew")
    return house


@pytest.mark.parametrize("topic", TOPICS)
def test_a_layer_as_json(busy: House, topic: str) -> None:
    layer = busy.person.get(f"/api/layers/{topic}")
    assert layer["topic"] == topic
    assert layer["hash"] == topic_hash((r["key"], r["version"]) for r in layer["rows"])
    assert layer["epoch"] > 0


@pytest.mark.parametrize("topic", TOPICS)
def test_a_layer_as_geojson(busy: House, topic: str) -> None:
    answer = busy.person.http.get(f"/api/layers/{topic}.geojson")
    assert answer.headers["content-type"].startswith("application/geo+json")
    found = answer.json()
    assert found["type"] == "FeatureCollection"
    for feature in found["features"]:
        assert feature["type"] == "Feature"
        lon, lat = feature["geometry"]["coordinates"]
        assert (120 < lon < 130, 40 < lat < 50) == (True, True)
    if topic in {"tickets", "rooms", "positions", "network"}:
        assert found["features"]


def test_a_layer_that_has_not_changed_is_not_sent_again(busy: House) -> None:
    http = busy.person.http
    for path in ("/api/layers/network", "/api/layers/network.geojson"):
        first = http.get(path)
        tag = first.headers["etag"]
        again = http.get(path, headers={"If-None-Match": f'"other", {tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert http.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert http.get("/api/layers/network").headers["etag"] != tag, "each form has its own"


def test_a_changed_layer_has_another_tag(busy: House) -> None:
    tag = busy.person.http.get("/api/layers/tickets").headers["etag"]
    ticket = receive(busy.person)

    def there() -> bool:
        answer = busy.person.http.get("/api/layers/tickets", headers={"If-None-Match": tag})
        return answer.status_code == 200 and ticket["id"] in answer.text

    eventually(there, "the ticket is on its layer")


def test_a_layer_is_compressed_for_those_who_can(busy: House) -> None:
    with busy.person.http.stream(
        "GET", "/api/layers/tickets", headers={"Accept-Encoding": "gzip"}
    ) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        packed = b"".join(answer.iter_raw())
    plain = busy.person.http.get("/api/layers/tickets", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert json.loads(gzip.decompress(packed))["topic"] == plain.json()["topic"] == "tickets"
    assert "Accept-Encoding" in plain.headers["vary"]


def test_an_unknown_layer(busy: House) -> None:
    for name in ("residents", "residents.geojson", "tickets.xml"):
        answer = busy.person.http.get(f"/api/layers/{name}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_topic")


def test_pages_miss_none_and_repeat_none_while_tickets_come_in(house: House) -> None:
    mine = {receive(house.source, source="pages")["id"] for _ in range(23)}
    seen: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = house.person.get("/api/tickets", source="pages", limit=5, **after)
        assert len(page["items"]) <= 5
        seen += page["items"]
        receive(house.source, source="pages")
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    ids = [t["id"] for t in seen]
    assert len(ids) == len(set(ids))
    assert set(ids) == mine
    order = [(t["received_at"], t["id"]) for t in seen]
    assert order == sorted(order, reverse=True)


def test_filters(house: House) -> None:
    crew = crew_on_duty(house, "RD2")
    red = receive(house.person, source="filters", level="red", building="B02")
    blue = receive(house.person, source="filters", level="blue", building="B03", kind="question")
    gone = step(house.person, receive(house.person, source="filters", building="B02"), "cancel")
    sent = carry(house.person, blue, crew, "dispatch")

    def ids(**query: Any) -> set[str]:
        return {
            t["id"] for t in house.person.get("/api/tickets", source="filters", **query)["items"]
        }

    r, b, g = red["id"], blue["id"], gone["id"]
    assert ids() == {r, b, g}
    assert ids(state="open") == {r, b}
    assert ids(state="cancelled") == {g}
    assert ids(state="dispatched") == {b}
    assert ids(level="red") == {r, g}
    assert ids(crew=crew) == {b}
    assert ids(building="B02") == {r, g}
    assert ids(building="B02", state="open") == {r}
    assert ids(community="K1", level="blue") == {b}
    assert ids(community="K2") == {r, g}
    assert ids(overdue=True) == ids(near=True) == ids(lost_contact=True) == set()
    assert ids(received_from=sent["received_at"] + 600) == set()
    assert ids(received_to=red["received_at"]) == set()
    assert ids(received_from=red["received_at"], received_to=sent["received_at"] + 600) == {r, b, g}
    assert ids(figure="requests") == {r, b, g}
    assert ids(figure="closing") == set()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"limit": 0}, "bad_limit"),
        ({"limit": 501}, "bad_limit"),
        ({"after": "nonsense"}, "bad_page"),
        ({"after": "1.2.3' OR 1=1"}, None),
        ({"after": "99999999999.x"}, None),
        ({"figure": "everything"}, "unknown_figure"),
        ({"limit": "many"}, "bad_request"),
        ({"received_from": 10**17}, "bad_time"),
        ({"received_to": -(10**17)}, "bad_time"),
    ],
)
def test_queries_that_cannot_be_answered(
    house: House, query: dict[str, Any], code: str | None
) -> None:
    answer = house.person.http.get("/api/tickets", params=query)
    if code is None:
        assert answer.status_code in {200, 422}, answer.text
    else:
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_records_behind_the_marks(busy: House) -> None:
    assert busy.person.get("/api/points/RT-01")
    assert busy.person.get("/api/nodes/S1")
    assert busy.person.get("/api/crews/RD1")["state"] == "free"
    assert busy.person.get("/api/communities/K1")
    found = busy.person.get("/api/buildings", words="和平路 3 号")["items"]
    assert found
    for path in ("points", "nodes", "crews", "communities"):
        answer = busy.person.http.get(f"/api/{path}/none-such")
        assert answer.status_code == 404
        assert answer.json()["code"].startswith("no_such_")


WITHOUT_BODY = {
    "/api/sign-out", "/api/live-passes", "/api/crews/{crew_id}/code",
    "/api/crews/{crew_id}/devices/{device}/revoke",
}  # fmt: skip


def test_the_description_of_the_api(house: House) -> None:
    document = house.person.get("/docs/openapi.json")
    assert document["openapi"].startswith("3.")
    assert document["info"]["title"] == "heatops"
    names = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            names.append(operation["operationId"])
            assert operation["responses"], (path, method)
            placeholders = {part[1:-1] for part in path.split("/") if part.startswith("{")}
            declared = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
            assert placeholders == declared, path
    assert len(names) == len(set(names))
    references = json.dumps(document).split('"$ref": "#/')[1:]
    for reference in references:
        node = document
        for part in reference.partition('"')[0].split("/"):
            node = node[part]


def test_every_post_is_described_with_an_example(house: House) -> None:
    for path, methods in house.person.get("/docs/openapi.json")["paths"].items():
        if "post" not in methods or path in WITHOUT_BODY:
            continue
        content = methods["post"]["requestBody"]["content"]
        if "application/json" not in content:  # a file as it is
            assert methods["post"]["requestBody"]["description"], path
            continue
        media = content["application/json"]
        schema = media["schema"]
        assert media.get("examples") or schema.get("examples") or "example" in schema, path
