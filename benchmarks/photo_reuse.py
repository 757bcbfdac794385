"""How often a changed photo is found again, and whether two different ones are ever taken for one.

Both ways of a verdict count together: by eye (PDQ, eight views, within the policy's bits) and by
points (ORB with RANSAC, as many as the policy asks). The first looks over every photo ever seen,
the second over those of the same building and crew, among which the original is here.
"""

from __future__ import annotations

from itertools import combinations
from statistics import mean

import numpy as np
import pdqhash

from benchmarks._figure import figure
from benchmarks._photo_changes import CHANGES, Picture, banner, jpeg, photos, scene, tiles
from dispatch_core.evidence import POLICY
from server.adapters.photo_features import inliers
from server.jobs.photo_asks import Look
from server.jobs.photo_worker import look_at

MADE = 40
DIFFERENT = 160
BANNERED = 60
BITS = POLICY.photos.eye_bits
ENOUGH = POLICY.photos.inliers


def look(picture: Picture) -> Look:
    """As a worker sees it."""
    return look_at(jpeg(picture))


def bits(a: Look, b: Look) -> int:
    """The fewest bits that differ, of the eight views of the first."""
    theirs = int.from_bytes(b.hashes[0])
    return min((int.from_bytes(mine) ^ theirs).bit_count() for mine in a.hashes)


def by_eye(a: Look, b: Look) -> bool:
    """Whether the hashes alone accuse."""
    return bits(a, b) <= BITS and a.quality >= POLICY.photos.eye_quality


def by_points(a: Look, b: Look) -> bool:
    """Whether the points do."""
    return max(inliers(a.points, b.points), inliers(a.mirrored, b.points)) >= ENOUGH


def again(a: Look, b: Look) -> bool:
    """Whether photo `a` is taken for `b` used again."""
    return by_eye(a, b) or by_points(a, b)


def plain(picture: Picture) -> int:
    """pdqhash's, as the plain way has it."""
    found, _ = pdqhash.compute(np.asarray(picture))
    return int.from_bytes(np.packbits(found.astype(np.uint8)).tobytes())


def recall(pictures: list[Picture], kind: str) -> None:
    """Every change of every photo."""
    originals = [look(picture) for picture in pictures]
    hashes = [plain(picture) for picture in pictures]
    shares = {}
    plains = []
    for name, change in CHANGES.items():
        changed = [change(picture) for picture in pictures]
        found = [again(look(one), first) for one, first in zip(changed, originals, strict=True)]
        alone = [
            (plain(one) ^ first).bit_count() <= BITS
            for one, first in zip(changed, hashes, strict=True)
        ]
        shares[name] = 100 * mean(found)
        plains.append(100 * mean(alone))
        figure(
            f"photo_reuse.{kind}.{name}", shares[name], "%", baseline=plains[-1], target=">= 90 %",
            ok=shares[name] >= 90, note="beside pdqhash within the same bits",
        )  # fmt: skip
    average = mean(shares.values())
    figure(
        f"photo_reuse.{kind}", average, "%", baseline=mean(plains), target=">= 98 %",
        ok=average >= 98, note=f"{len(shares)} changes of {len(pictures)} photos",
    )  # fmt: skip


def alarms(pictures: list[Picture], name: str) -> None:
    """Every pair of different ones."""
    looks = [look(picture) for picture in pictures]
    pairs = list(combinations(looks, 2))
    false = sum(again(a, b) for a, b in pairs)
    figure(
        f"photo_reuse.{name}", false, "pairs", target="0", ok=false == 0,
        note=f"false alarms in {len(pairs):,} pairs of {len(looks)} pictures",
    )  # fmt: skip


def main() -> None:
    """Print every figure."""
    real = [one for one in photos() if look(one).quality >= POLICY.photos.eye_quality]
    made = [scene(seed) for seed in range(MADE)]
    if real:
        recall(real, "real")
    recall(made, "made")
    parts = tiles(real)
    many = [*real, *(scene(1000 + n) for n in range(max(0, DIFFERENT - len(real) - len(parts))))]
    # a part is no other picture than its whole: each kind among its own
    alarms(many[:DIFFERENT], "false_alarms")
    alarms(parts[:DIFFERENT], "false_alarms_parts")
    alarms([banner(one) for one in many[-BANNERED:]], "false_alarms_same_banner")


if __name__ == "__main__":
    main()
