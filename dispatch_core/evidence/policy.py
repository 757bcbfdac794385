"""What evidence a kind of work owes, and what its checks measure against: section `evidence` of a
city's policy file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import msgspec

from dispatch_core.ids import (
    CheckOutcome,
    PhotoCheckCode,
    PhotoVerdict,
    RequestKind,
    Slot,
    Trade,
)


class Owed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Work that a rule fits, and the photos that it owes; an empty list fits all."""

    name: str
    kinds: list[RequestKind] = msgspec.field(default_factory=list)
    trades: list[Trade] = msgspec.field(default_factory=list)
    resident: bool | None = None
    """Whether somebody lives where the work is; None: either."""
    slots: list[Slot]
    """None at all: this work closes without photos."""


class Fence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a fix counts as being there."""

    within_m: float = 60.0
    """From the building's outline."""
    accuracy_most_m: float = 150.0
    """A fix that is worse than this decides nothing."""
    stale_s: int = 300
    """A fix older than this when it was used says nothing of now."""
    speed_most_mps: float = 45.0
    skew_most_s: int = 300
    """Between the phone's clock and the server's."""
    repeated_most: int = 5
    """So many fixes equal to the last digit are no receiver's work."""
    anchor_after: int = 3
    """So many outliers that agree are where the crew is."""


class Photos(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a photo must show of itself."""

    bytes_most: int = 12 << 20
    a_slot: int = 20
    """So many photos of one slot are taken in a round; then the desk is asked."""
    nonce_valid_s: int = 259_200
    """So long after the phone was given its one-time words a photo taken with one may arrive."""
    pixels_most: int = 60_000_000
    eye_bits: int = 31
    """Two photos whose perceptual hashes differ in no more bits are one; PDQ's published bound, and
    the furthest that photos are searched for."""
    eye_quality: int = 50
    """Below this a hash says too little to accuse anybody."""
    empty_quality: int = 10
    """Below this there is next to nothing to see: the hash says nothing at all."""
    inliers: int = 20
    inliers_warn: int = 12
    scene_bits: int = 31
    """Two photos of one ticket that are this near are one scene."""
    window_before_s: int = 120
    """So long before the check-in a photo may have been taken."""
    window_after_s: int = 900
    clocks_warn_s: int = 300
    clocks_fail_s: int = 3600
    sharpness_warn: float = 60.0
    """Variance of the Laplacian of the grey picture at 512 pixels."""
    dark_warn: float = 30.0
    bright_warn: float = 232.0
    recapture_warn: float = 0.5


class Retention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long pictures are kept, in days since they were taken and since their tickets were over;
    hashes, points, verdicts and facts are kept for good."""

    originals_days: int = 1825
    views_days: int = 1825
    """Of what was drawn of them without metadata and faces."""


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rules of evidence; the version of the whole file stands with every verdict."""

    required: list[Owed]
    fence: Fence = Fence()
    photos: Photos = Photos()
    block: list[PhotoCheckCode] = msgspec.field(
        default_factory=lambda: [
            "file_whole",
            "decodes",
            "seen_bytes",
            "seen_eye",
            "three_scenes",
            "nonce",
            "device_signature",
        ]
    )
    """A fail of one of these blocks; any other fail goes to a person."""
    to_a_person: list[PhotoCheckCode] = msgspec.field(
        default_factory=lambda: ["seen_eye", "seen_site", "three_scenes", "in_fence"]
    )
    """A warning of one of these goes to a person, too."""
    unknown_to_a_person: list[PhotoCheckCode] = msgspec.field(default_factory=lambda: ["seen_eye"])
    """So does one of these that cannot be told; any other accuses nobody."""
    trust_c_to_a_person: bool = True
    no_answer_most: int = 3
    """The time nobody opens at which the desk takes over."""
    outage_expected_s: int = 14400
    """The expected end of an outage that closing a valve opens, where the crew says none."""
    retention: Retention = Retention()


POLICY = Policy(required=[])
SEARCHED_BITS = 31
"""No photo that differs in more bits is ever found."""


def check(policy: Policy) -> None:
    """Refuse rules and figures that make no sense together.

    Raises:
        ValueError: naming the field and what is wrong with it.
    """
    names = Counter(rule.name for rule in policy.required)
    fence, photos = policy.fence, policy.photos
    for number, rule in enumerate(policy.required):
        where = f"required.{rule.name}"
        _must(bool(rule.name), "required", "a rule has no name")
        _must(names[rule.name] == 1, where, "stands twice")
        _must(len(set(rule.slots)) == len(rule.slots), where, "names a photo twice")
        all_of_it = not rule.kinds and not rule.trades and rule.resident is None
        _must(not all_of_it or number == len(policy.required) - 1, where,
              "fits all work: the rules after it are never reached")  # fmt: skip
    for name, figure, least, most in (
        ("fence.within_m", fence.within_m, 1, 10_000),
        ("fence.accuracy_most_m", fence.accuracy_most_m, 1, 10_000),
        ("fence.stale_s", fence.stale_s, 1, 86_400),
        ("fence.speed_most_mps", fence.speed_most_mps, 1, 1000),
        ("fence.skew_most_s", fence.skew_most_s, 1, 86_400),
        ("fence.repeated_most", fence.repeated_most, 2, 1000),
        ("fence.anchor_after", fence.anchor_after, 2, 100),
        ("photos.bytes_most", photos.bytes_most, 1 << 10, 64 << 20),
        ("photos.a_slot", photos.a_slot, 1, 1000),
        ("photos.nonce_valid_s", photos.nonce_valid_s, 3600, 30 * 86_400),
        ("photos.pixels_most", photos.pixels_most, 10_000, 1_000_000_000),
        ("photos.eye_bits", photos.eye_bits, 0, SEARCHED_BITS),
        ("photos.scene_bits", photos.scene_bits, 0, SEARCHED_BITS),
        ("photos.eye_quality", photos.eye_quality, 0, 100),
        ("photos.empty_quality", photos.empty_quality, 0, 100),
        ("photos.inliers", photos.inliers, 4, 10_000),
        ("photos.window_before_s", photos.window_before_s, 0, 86_400),
        ("photos.window_after_s", photos.window_after_s, 0, 86_400),
        ("no_answer_most", policy.no_answer_most, 1, 100),
        ("outage_expected_s", policy.outage_expected_s, 60, 7 * 86_400),
        ("retention.originals_days", policy.retention.originals_days, 30, 36_500),
        ("retention.views_days", policy.retention.views_days, 30, 36_500),
    ):
        _must(least <= figure <= most, name, f"{figure} is not {least} to {most}")
    _must(photos.inliers_warn <= photos.inliers, "photos.inliers_warn", "is above inliers")
    _must(photos.empty_quality <= photos.eye_quality, "photos.empty_quality",
          "is above eye_quality")  # fmt: skip
    _must(photos.clocks_warn_s <= photos.clocks_fail_s, "photos.clocks_fail_s",
          "is below clocks_warn_s")  # fmt: skip
    _must(policy.retention.originals_days <= policy.retention.views_days, "retention.views_days",
          "is below originals_days")  # fmt: skip
    _must(photos.dark_warn < photos.bright_warn, "photos.bright_warn", "is not above dark_warn")


def _must(holds: bool, name: str, told: str) -> None:  # noqa: FBT001 - the condition itself
    if not holds:
        raise ValueError(f"evidence.{name}: {told}")


def owed_by(
    policy: Policy, kind: RequestKind, trade: Trade, *, resident: bool
) -> tuple[str, tuple[Slot, ...]]:
    """(the rule's name, the photos) of the first rule that fits; ("", ()) where none does."""
    for rule in policy.required:
        fits = (
            (not rule.kinds or kind in rule.kinds)
            and (not rule.trades or trade in rule.trades)
            and rule.resident in {None, resident}
        )
        if fits:
            return rule.name, tuple(rule.slots)
    return "", ()


def weighed(
    policy: Policy, outcomes: Collection[tuple[PhotoCheckCode, CheckOutcome]]
) -> PhotoVerdict:
    """`block`, `review` or `accept` by what the checks came to."""
    failed = {code for code, outcome in outcomes if outcome == "fail"}
    warned = {code for code, outcome in outcomes if outcome == "warn"}
    unknown = {code for code, outcome in outcomes if outcome == "unknown"}
    if failed & set(policy.block):
        return "block"
    doubted = warned & set(policy.to_a_person) | unknown & set(policy.unknown_to_a_person)
    return "review" if failed or doubted else "accept"
