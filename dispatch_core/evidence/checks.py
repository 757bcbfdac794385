"""The checks of one photo: what its file, its clocks, its place and its likeness to others say."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec.structs import replace

from dispatch_core.events import PhotoCheck, Twin
from dispatch_core.evidence.policy import Policy, weighed
from dispatch_core.ids import CheckOutcome, PhotoCheckCode, PhotoSource, PhotoVerdict, Trust

FileFault = Literal["not_a_photo", "cut_off", "broken", "too_large"]
Credentials = Literal["valid", "invalid", "unknown_signer", "none"]


class PhotoFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was read from the file and sent with it. Milliseconds since the Unix epoch, metres."""

    file_fault: FileFault | None = None
    decoded: bool = True
    quality: int = 100
    """PDQ's, 0 to 100: how much the hash says."""
    sharpness: float | None = None
    mean: float | None = None
    """Of the grey picture, 0 to 255."""
    recapture: float | None = None
    """0 to 1: how much it looks like a photo of a screen."""
    exif: Literal["intact", "edited", "none"] = "none"
    exif_at_ms: int | None = None
    """With its own zone, else read in the city's."""
    gps_at_ms: int | None = None
    gps_distance_m: float | None = None
    """From the file's own position to the building's outline."""
    credentials: Credentials = "none"
    nonce_holds: bool | None = None
    signature_holds: bool | None = None
    source: PhotoSource | None = None
    """None: not known."""
    session_at_ms: int | None = None
    """When the app took it, by the phone's clock put right by its skew."""
    session_skew_s: int | None = None
    """The phone's clock minus the server's, as its last message showed."""
    arrived_at_ms: int = 0


class SiteWindow(msgspec.Struct, frozen=True, kw_only=True):
    """When and where the crew was on site."""

    in_at_ms: int | None = None
    """None: no check-in."""
    out_at_ms: int | None = None
    fix_distance_m: float | None = None
    """From the fix at the moment of the photo to the building's outline."""
    fix_accuracy_m: float | None = None
    fix_age_s: int | None = None
    """Of the fix when the photo was taken, by the phone's clock."""
    fix_made_up: bool = False
    """So the phone said."""
    other_phone: bool = False
    """Another phone took it than the one that checked in."""


class Likeness(msgspec.Struct, frozen=True, kw_only=True):
    """The other photos that were found one way or another."""

    twin: Twin | None = None
    """The nearest by eye, of another ticket or round; `bits` says how near."""
    scene: Twin | None = None
    """The one that shares most points, of another ticket or round; `inliers` says how many. It
    may be the same photo as `twin` or another one."""
    sibling: Twin | None = None
    """The nearest photo of the same ticket in another slot."""
    same_bytes: Twin | None = None
    """Another use of these very bytes."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """All checks of a photo and what they come to."""

    verdict: PhotoVerdict
    checks: list[PhotoCheck]
    twin: Twin | None
    trust: Trust


def judge(facts: PhotoFacts, site: SiteWindow, like: Likeness, policy: Policy) -> Judgement:
    """Every check in its order, and the verdict by the policy."""
    trust = trust_of(facts)
    checks = [
        _file(facts),
        _decodes(facts),
        _seen_bytes(like),
        _seen_eye(facts, like, policy),
        _seen_site(like, policy),
        _three_scenes(facts, like, policy),
        _window(facts, site, policy),
        _fence(facts, site, policy),
        _clocks(facts, policy),
        _above("sharp", facts.sharpness, policy.photos.sharpness_warn),
        _lit(facts, policy),
        _held("nonce", facts.nonce_holds),
        _held("device_signature", facts.signature_holds),
        _exif(facts),
        _credentials(facts),
        _recapture(facts, policy),
        _trust(facts, trust),
    ]
    found = weighed(policy, [(check.code, check.outcome) for check in checks])
    if found == "accept" and trust == "c" and policy.trust_c_to_a_person:
        found = "review"
    return Judgement(verdict=found, checks=checks, twin=_suspect(checks, like), trust=trust)


def trust_of(facts: PhotoFacts) -> Trust:
    """How much the photo says of its own making; one from the gallery was made anywhere."""
    if facts.source == "gallery":
        return "c"
    if facts.nonce_holds and facts.signature_holds:
        return "a"
    if facts.credentials == "valid" or facts.exif == "intact":
        return "b"
    return "c"


def _suspect(checks: list[PhotoCheck], like: Likeness) -> Twin | None:
    """The photo that the first check that failed found, else the first that was in doubt."""
    found: dict[PhotoCheckCode, Twin | None] = {
        "seen_bytes": like.same_bytes, "seen_eye": like.twin, "seen_site": like.scene,
        "three_scenes": like.sibling,
    }  # fmt: skip
    for outcome in ("fail", "warn"):
        for check in checks:
            twin = found.get(check.code)
            if twin is not None and check.outcome == outcome:
                return _with_points(twin, like.scene)
    return None


def _with_points(twin: Twin, scene: Twin | None) -> Twin:
    """With the points that it shares, where it is the photo that shares most."""
    if scene is None:
        return twin
    same = (twin.photo, twin.ticket, twin.slot) == (scene.photo, scene.ticket, scene.slot)
    return replace(twin, inliers=scene.inliers) if same else twin


def _trust(facts: PhotoFacts, trust: Trust) -> PhotoCheck:
    picked = facts.source == "gallery"
    outcome: CheckOutcome = "warn" if trust == "c" else "pass"
    return PhotoCheck(code="trust", outcome=outcome, value="gallery" if picked else trust)


def _file(facts: PhotoFacts) -> PhotoCheck:
    fault = facts.file_fault
    return PhotoCheck(code="file_whole", outcome="fail" if fault else "pass", value=fault)


def _decodes(facts: PhotoFacts) -> PhotoCheck:
    return PhotoCheck(code="decodes", outcome="pass" if facts.decoded else "fail")


def _seen_bytes(like: Likeness) -> PhotoCheck:
    seen = like.same_bytes
    if seen is None:
        return PhotoCheck(code="seen_bytes", outcome="pass")
    return PhotoCheck(code="seen_bytes", outcome="fail", value=seen.ticket)


def _seen_eye(facts: PhotoFacts, like: Likeness, policy: Policy) -> PhotoCheck:
    """Of a picture that shows next to nothing no likeness can be told: it is unknown."""
    photos, bound = policy.photos, policy.photos.eye_bits
    bits = None if like.twin is None else like.twin.bits
    if not facts.decoded:
        return PhotoCheck(code="seen_eye", outcome="unknown", threshold=bound, measure="bit")
    outcome: CheckOutcome = "pass"
    if bits is not None and bits <= bound:
        outcome = "fail" if facts.quality >= photos.eye_quality else "warn"
    elif facts.quality < photos.empty_quality:
        return PhotoCheck(
            code="seen_eye", outcome="unknown", value=facts.quality, threshold=photos.empty_quality
        )
    return PhotoCheck(code="seen_eye", outcome=outcome, value=bits, threshold=bound, measure="bit")


def _seen_site(like: Likeness, policy: Policy) -> PhotoCheck:
    inliers = None if like.scene is None else like.scene.inliers
    most = policy.photos.inliers
    outcome: CheckOutcome = "pass"
    if inliers is not None and inliers >= most:
        outcome = "fail"
    elif inliers is not None and inliers >= policy.photos.inliers_warn:
        outcome = "warn"
    return PhotoCheck(
        code="seen_site", outcome=outcome, value=inliers, threshold=most, measure="point"
    )


def _three_scenes(facts: PhotoFacts, like: Likeness, policy: Policy) -> PhotoCheck:
    """Photos of one place may share many points honestly; only near equal ones are one scene."""
    bound = policy.photos.scene_bits
    sibling = like.sibling
    if sibling is None or sibling.bits is None:
        outcome: CheckOutcome = "pass" if facts.decoded else "unknown"
        return PhotoCheck(code="three_scenes", outcome=outcome, threshold=bound, measure="bit")
    outcome = "fail" if sibling.bits <= bound else "pass"
    if outcome == "fail" and facts.quality < policy.photos.eye_quality:
        outcome = "warn"
    return PhotoCheck(
        code="three_scenes", outcome=outcome, value=sibling.bits, threshold=bound, measure="bit"
    )


def _window(facts: PhotoFacts, site: SiteWindow, policy: Policy) -> PhotoCheck:
    """How far outside the time on site it was taken; seconds, 0 inside."""
    if site.in_at_ms is None:
        return PhotoCheck(code="in_window", outcome="fail", value="no_check_in")
    at = facts.session_at_ms if facts.signature_holds else None
    at = at or facts.gps_at_ms or facts.exif_at_ms or facts.session_at_ms
    if at is None:
        return PhotoCheck(code="in_window", outcome="unknown", measure="s")
    early = (site.in_at_ms - at) // 1000
    until = site.out_at_ms if site.out_at_ms is not None else facts.arrived_at_ms
    late = (at - until) // 1000
    photos = policy.photos
    off = max(0, early, late)
    bad = early > photos.window_before_s or late > photos.window_after_s
    bound = photos.window_before_s if early > late else photos.window_after_s
    return PhotoCheck(
        code="in_window", outcome="fail" if bad else "pass", value=off, threshold=bound, measure="s"
    )


def _fence(facts: PhotoFacts, site: SiteWindow, policy: Policy) -> PhotoCheck:
    bound = policy.fence.within_m
    if site.fix_made_up:
        return PhotoCheck(code="in_fence", outcome="fail", value="made_up")
    by_fix = site.fix_distance_m
    accuracy = site.fix_accuracy_m or 0.0
    stale = site.fix_age_s is not None and site.fix_age_s > policy.fence.stale_s
    if stale or accuracy > policy.fence.accuracy_most_m:
        by_fix = None  # it says nothing of where the picture was taken
    if by_fix is not None:
        by_fix = max(0.0, by_fix - accuracy)
    far = [d for d in (by_fix, facts.gps_distance_m) if d is not None]
    if not far and site.other_phone:  # the check-in says nothing of where this phone was
        return PhotoCheck(code="in_fence", outcome="warn", value="other_phone")
    if not far:
        return PhotoCheck(code="in_fence", outcome="unknown", threshold=bound, measure="m")
    worst = round(max(far), 1)
    outcome: CheckOutcome = "fail" if worst > bound else "pass"
    return PhotoCheck(code="in_fence", outcome=outcome, value=worst, threshold=bound, measure="m")


def _clocks(facts: PhotoFacts, policy: Policy) -> PhotoCheck:
    """The worst disagreement with the server's clock, seconds. A camera's own clock is wrong so
    often that it only warns; the phone's and the satellites' are not."""
    photos = policy.photos
    truth = facts.session_at_ms or facts.arrived_at_ms
    strict = [abs(facts.session_skew_s)] if facts.session_skew_s is not None else []
    if facts.gps_at_ms is not None and facts.session_at_ms is not None:
        strict.append(abs(facts.gps_at_ms - truth) // 1000)
    loose = [] if facts.exif_at_ms is None else [abs(facts.exif_at_ms - truth) // 1000]
    if facts.session_at_ms is None:
        loose = []  # a photo from the gallery may be older than its sending: the window judges it
    if not strict and not loose:
        return PhotoCheck(code="clocks_agree", outcome="unknown", measure="s")
    worst = max(strict + loose)
    outcome: CheckOutcome = "pass"
    if strict and max(strict) > photos.clocks_fail_s:
        outcome = "fail"
    elif worst > photos.clocks_warn_s:
        outcome = "warn"
    return PhotoCheck(
        code="clocks_agree",
        outcome=outcome,
        value=worst,
        threshold=photos.clocks_warn_s,
        measure="s",
    )


def _above(code: PhotoCheckCode, value: float | None, bound: float) -> PhotoCheck:
    if value is None:
        return PhotoCheck(code=code, outcome="unknown", threshold=bound)
    outcome: CheckOutcome = "pass" if value >= bound else "warn"
    return PhotoCheck(code=code, outcome=outcome, value=round(value, 1), threshold=bound)


def _lit(facts: PhotoFacts, policy: Policy) -> PhotoCheck:
    mean, photos = facts.mean, policy.photos
    if mean is None:
        return PhotoCheck(code="lit", outcome="unknown", threshold=photos.dark_warn)
    bright = mean > photos.bright_warn
    outcome: CheckOutcome = "warn" if bright or mean < photos.dark_warn else "pass"
    bound = photos.bright_warn if bright else photos.dark_warn
    return PhotoCheck(code="lit", outcome=outcome, value=round(mean, 1), threshold=bound)


def _held(code: PhotoCheckCode, holds: bool | None) -> PhotoCheck:  # noqa: FBT001
    outcomes: dict[bool | None, CheckOutcome] = {True: "pass", False: "fail", None: "unknown"}
    return PhotoCheck(code=code, outcome=outcomes[holds])


def _exif(facts: PhotoFacts) -> PhotoCheck:
    outcomes: dict[str, CheckOutcome] = {"intact": "pass", "edited": "fail", "none": "unknown"}
    return PhotoCheck(code="exif_intact", outcome=outcomes[facts.exif], value=facts.exif)


def _credentials(facts: PhotoFacts) -> PhotoCheck:
    outcomes: dict[str, CheckOutcome] = {
        "valid": "pass", "invalid": "fail", "unknown_signer": "unknown", "none": "unknown",
    }  # fmt: skip
    found = facts.credentials
    return PhotoCheck(code="credentials", outcome=outcomes[found], value=found)


def _recapture(facts: PhotoFacts, policy: Policy) -> PhotoCheck:
    score, bound = facts.recapture, policy.photos.recapture_warn
    if score is None:
        return PhotoCheck(code="recapture", outcome="unknown", threshold=bound)
    outcome: CheckOutcome = "warn" if score >= bound else "pass"
    return PhotoCheck(code="recapture", outcome=outcome, value=round(score, 2), threshold=bound)
