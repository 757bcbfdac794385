"""How much a photo's own headers say of its making."""

from __future__ import annotations

from typing import Literal

from ext.jpeg_walk import JpegFacts

EDITED_AFTER_S = 120
"""A camera writes a file at once: what was changed later was changed by somebody."""
EDITORS = ("photoshop", "gimp", "lightroom", "snapseed", "picsart", "meitu", "美图", "exiftool")


def exif_of(facts: JpegFacts) -> Literal["intact", "edited", "none"]:
    """`intact`: a camera's own account of the picture; `edited`: something changed it since;
    `none`: too little of it is left."""
    if facts.exif != "read" or facts.taken_s is None or not (facts.make or facts.model):
        return "none"
    named = facts.software.lower()
    late = facts.changed_s is not None and facts.changed_s - facts.taken_s > EDITED_AFTER_S
    return "edited" if late or any(editor in named for editor in EDITORS) else "intact"
