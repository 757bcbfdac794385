"""The checks of a photo: each outcome from what was measured, and what they come to."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from dispatch_core.events import Twin
from dispatch_core.evidence import (
    POLICY,
    Judgement,
    Likeness,
    PhotoFacts,
    SiteWindow,
    check,
    judge,
)
from dispatch_core.evidence.words import check_words
from dispatch_core.ids import PhotoId, TicketId
from ext.hamming import RADIUS

IN = 1_768_370_000_000
GOOD = PhotoFacts(
    quality=90, sharpness=300.0, mean=120.0, recapture=0.1, nonce_holds=True, signature_holds=True,
    session_at_ms=IN + 300_000, session_skew_s=2, arrived_at_ms=IN + 320_000,
)  # fmt: skip
SITE = SiteWindow(in_at_ms=IN, fix_distance_m=8.0, fix_accuracy_m=6.0)
TWIN = Twin(photo=PhotoId("p0"), ticket=TicketId("250114-000001"), slot="fault_point")
GALLERY: dict[str, Any] = {
    "nonce_holds": None, "signature_holds": None, "session_at_ms": None, "session_skew_s": None,
}  # fmt: skip


def judged(site: SiteWindow = SITE, like: Likeness | None = None, **facts: Any) -> Judgement:
    return judge(replace(GOOD, **facts), site, like or Likeness(), POLICY)


def outcome(found: Judgement, code: str) -> str:
    return next(check.outcome for check in found.checks if check.code == code)


def test_a_photo_of_the_app_at_the_place_and_in_time_is_accepted() -> None:
    found = judged()
    assert (found.verdict, found.trust, found.twin) == ("accept", "a", None)
    assert {c.outcome for c in found.checks} <= {"pass", "unknown"}


@pytest.mark.parametrize(
    ("code", "facts", "verdict"),
    [
        ("file_whole", {"file_fault": "cut_off"}, "block"),
        ("decodes", {"decoded": False}, "block"),
        ("nonce", {"nonce_holds": False}, "block"),
        ("device_signature", {"signature_holds": False}, "block"),
        ("in_window", {"session_at_ms": IN - 3_600_000}, "review"),
        ("clocks_agree", {"session_skew_s": 7_200}, "review"),
        ("exif_intact", {"exif": "edited"}, "review"),
        ("credentials", {"credentials": "invalid"}, "review"),
        ("in_fence", {"gps_distance_m": 4_000.0}, "review"),
    ],
)
def test_what_fails_blocks_or_goes_to_a_person(
    code: str, facts: dict[str, Any], verdict: str
) -> None:
    found = judged(**facts)
    assert outcome(found, code) == "fail"
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("code", "facts"),
    [
        ("sharp", {"sharpness": 3.0}),
        ("lit", {"mean": 4.0}),
        ("lit", {"mean": 250.0}),
        ("recapture", {"recapture": 0.9}),
        ("clocks_agree", {"exif_at_ms": IN - 86_400_000, "exif": "intact"}),
    ],
)
def test_what_warns_accuses_nobody(code: str, facts: dict[str, Any]) -> None:
    found = judged(**facts)
    assert outcome(found, code) == "warn"
    assert found.verdict == "accept"


def test_a_photo_that_is_another_one_is_blocked_and_its_twin_named() -> None:
    seen = Likeness(twin=Twin(**_of(TWIN), bits=12))
    assert (judged(like=seen).verdict, judged(like=seen).twin) == ("block", seen.twin)
    far = Likeness(twin=Twin(**_of(TWIN), bits=60))
    assert (judged(like=far).verdict, judged(like=far).twin) == ("accept", None)
    cropped = judged(like=Likeness(scene=Twin(**_of(TWIN), inliers=44)))
    assert (cropped.verdict, outcome(cropped, "seen_site")) == ("review", "fail")
    assert judged(like=Likeness(same_bytes=TWIN)).verdict == "block"
    thrice = judged(like=Likeness(sibling=Twin(**_of(TWIN), bits=3)))
    assert (thrice.verdict, outcome(thrice, "three_scenes")) == ("block", "fail")


@pytest.mark.parametrize(("code", "of"), [("seen_eye", "twin"), ("three_scenes", "sibling")])
def test_a_faint_photo_is_accused_by_nobody_and_looked_at_by_a_person(code: str, of: str) -> None:
    other = Twin(**_of(TWIN), bits=12)
    found = judged(like=Likeness(**{of: other}), quality=20)
    assert outcome(found, code) == "warn"
    assert (found.verdict, found.twin) == ("review", other)


def test_a_photo_that_shows_next_to_nothing_goes_to_a_person_and_says_so() -> None:
    found = judged(quality=9, mean=2.7)
    assert (outcome(found, "seen_eye"), found.verdict) == ("unknown", "review")
    check = next(c for c in found.checks if c.code == "seen_eye")
    assert "几乎看不出内容" in check_words(check).zh
    assert "hardly anything to see" in check_words(check).en
    assert judged(quality=10).verdict == "accept"
    faded = judged(quality=5, like=Likeness(twin=Twin(**_of(TWIN), bits=14)))
    assert (outcome(faded, "seen_eye"), faded.verdict) == ("warn", "review")


def test_what_is_near_by_eye_hides_nothing_that_shares_points_nor_the_reverse() -> None:
    eye = Twin(**_of(TWIN), bits=30)
    scene = Twin(photo=PhotoId("p9"), ticket=TicketId("t9"), slot="room", inliers=300)
    faint = judged(like=Likeness(twin=eye, scene=scene), quality=20)
    assert [outcome(faint, code) for code in ("seen_eye", "seen_site")] == ["warn", "fail"]
    assert (faint.verdict, faint.twin) == ("review", scene)
    clear = judged(like=Likeness(twin=eye, scene=scene))
    assert (clear.verdict, clear.twin) == ("block", eye)
    both = judged(like=Likeness(twin=eye, scene=Twin(**_of(TWIN), inliers=300)))
    assert both.twin == Twin(**_of(TWIN), bits=30, inliers=300)


def test_what_cannot_be_told_goes_to_a_person_where_the_policy_names_it() -> None:
    asked = replace(POLICY, unknown_to_a_person=["in_fence"])
    nowhere = SiteWindow(in_at_ms=IN)
    assert judge(GOOD, nowhere, Likeness(), POLICY).verdict == "accept"
    assert judge(GOOD, nowhere, Likeness(), asked).verdict == "review"


@pytest.mark.parametrize(
    "photos",
    [{"eye_bits": 32}, {"scene_bits": 32}, {"empty_quality": 60}, {"empty_quality": -1}],
)
def test_figures_that_no_search_answers_are_refused(photos: dict[str, Any]) -> None:
    check(POLICY)
    with pytest.raises(ValueError, match=next(iter(photos))):
        check(replace(POLICY, photos=replace(POLICY.photos, **photos)))
    assert POLICY.photos.eye_bits <= RADIUS
    check(replace(POLICY, photos=replace(POLICY.photos, eye_bits=RADIUS, scene_bits=RADIUS)))


def test_missing_exif_is_unknown_and_a_gallery_photo_goes_to_a_person() -> None:
    found = judged(**GALLERY)
    assert outcome(found, "exif_intact") == "unknown"
    assert (found.trust, found.verdict) == ("c", "review")
    whole = judged(**GALLERY, exif="intact", exif_at_ms=IN + 60_000)
    assert (whole.trust, whole.verdict) == ("b", "accept")


def test_whatever_the_file_of_a_gallery_photo_says_a_person_looks() -> None:
    said: dict[str, Any] = GALLERY | {"exif": "intact", "credentials": "valid", "source": "gallery"}
    found = judged(**said, exif_at_ms=IN + 60_000)
    assert (found.trust, found.verdict, outcome(found, "in_window")) == ("c", "review", "pass")
    told = check_words(next(c for c in found.checks if c.code == "trust"))
    assert (told.zh, told.en) == (
        "从相册选取，需人工查看（C）。", "Picked from the gallery: a person looks (C).",
    )  # fmt: skip
    weeks_ago = judged(**said, exif_at_ms=IN - 30 * 86_400_000)
    assert outcome(weeks_ago, "in_window") == "fail"
    assert judged(**(said | {"source": "camera"})).trust == "b"


def test_without_a_check_in_no_photo_is_in_time() -> None:
    assert outcome(judged(SiteWindow()), "in_window") == "fail"


def _of(twin: Twin) -> dict[str, Any]:
    return {"photo": twin.photo, "ticket": twin.ticket, "slot": twin.slot}


@pytest.mark.parametrize(
    ("site", "outcome_"),
    [
        ({"fix_distance_m": 50.0, "fix_accuracy_m": 20.0}, "pass"),
        ({"fix_distance_m": 800.0, "fix_accuracy_m": 20.0}, "fail"),
        ({"fix_distance_m": 800_000.0, "fix_accuracy_m": 1e6}, "unknown"),
        ({"fix_distance_m": 5.0, "fix_accuracy_m": 8.0, "fix_age_s": 7_200}, "unknown"),
        ({"fix_distance_m": 5.0, "fix_accuracy_m": 8.0, "fix_made_up": True}, "fail"),
        ({"fix_distance_m": 5.0, "fix_accuracy_m": 8.0, "other_phone": True}, "pass"),
        ({"fix_distance_m": None, "other_phone": True}, "warn"),
        ({"fix_distance_m": None}, "unknown"),
    ],
)
def test_a_fix_says_where_it_was_only_if_it_is_near_fresh_and_true(
    site: dict[str, Any], outcome_: str
) -> None:
    found = judged(replace(SITE, **site), gps_distance_m=None)
    assert outcome(found, "in_fence") == outcome_
    assert found.verdict == ("review" if outcome_ in {"fail", "warn"} else "accept")
