"""How sure an address must be: the thresholds, and what each doubt costs."""

from __future__ import annotations

from typing import Final

MATCH_AT: Final = 0.80
"""Below this score nothing is matched: it goes to a person."""
CLEAR_BY: Final = 0.10
"""The best must be ahead of the next building by this much."""
LIKELY_AT: Final = 0.35
"""Candidates below this are not shown."""
CANDIDATES: Final = 8
LONGEST: Final = 400
"""Characters of a text that are read; an address has ended long before."""
SAME_TIER: Final = 0.04
"""Names that fit this closely are equally meant: then the house number may tell them apart."""

# What a name loses, by how it was written. 1.0 is the register's own wording.
SUFFIX_KIN: Final = 0.97
"""街 for 大街, 道 for 大道."""
SUFFIX_OTHER: Final = 0.93
"""街 for 路."""
SUFFIX_LEFT_AWAY: Final = 0.92
OTHER_TYPE_THERE: Final = 0.80
"""红旗大街 where 红旗街 was written and exists."""
TAUGHT: Final = 0.98
ABBREVIATED: Final = 0.94

SAME_SOUND: Final = 0.93
NEAR_SOUND: Final = 0.88
ALIKE: Final = 0.90
SWAPPED: Final = 0.92
DOUBLED: Final = 0.94
OTHER_CHARACTER: Final = 0.84
"""One character of a name of three or more is another one."""
OTHER_OF_TWO: Final = 0.60
MISSING: Final = 0.88
MISSING_OF_TWO: Final = 0.82
ADDED: Final = 0.86
NUMBERED_OTHERWISE: Final = 0.60
"""东 or 西, 一道 or 二道: left away or put in. Another name, never a slip."""

LED_BY_WORDS: Final = 0.93
"""Words of no meaning to us stand before the name."""
LED_BY_ONE: Final = 0.75
"""One unknown character before the name: it may be a longer name."""
LED_BY_DIRECTION: Final = 0.70
INSIDE: Final = 0.90
"""A corrected name that does not begin where its words begin."""

# What a building loses.
DISTRICT_DIFFERS: Final = 0.75
DISTRICT_MISTAKEN: Final = 0.84
"""Another district than that of a building that its street and number, or its street and community,
name without a slip; the register has neither of them there: the district is the slip."""
NO_SLIP: Final = 0.97
DISTRICT_UNKNOWN: Final = 0.70
NUMBER_DIFFERS: Final = 0.60
BUILDING_DIFFERS: Final = 0.60
BUILDING_UNKNOWN: Final = 0.75
COMMUNITY_DIFFERS: Final = 0.70
STREET_DIFFERS: Final = 0.90
PHASE_LEFT_AWAY: Final = 0.60
PHASE_UNKNOWN: Final = 0.65
NUMBER_ONLY: Final = 0.50
"""A neighbour's number: shown to a person, never matched."""
NEAR_ONLY: Final = 0.60
"""Opposite, beside, behind: not this one."""
SECOND_READING: Final = 0.97
"""128-2-502 read as number 128-2 instead of unit 2."""
ONLY_ONE_THERE: Final = 0.70
"""A community of one building, named without a number."""
NAMED: Final = 0.95
NAMED_LANDMARK: Final = 0.75
"""A building's name among other words: rather what is near."""
NAMED_FROM: Final = 4
"""Characters of a name that may stand for its building alone."""
LESS_USUAL: Final = 0.88
"""28号-1-502 read as unit 1 of number 28."""
UNCONFIRMED: Final = 0.75
"""86-2 read as unit 2 of number 86, with no flat behind it."""
SHORT_AND_BARE: Final = 0.80
"""A slip in a community's name of two characters, its 小区 left away."""
TWO_SLIPS: Final = 0.95
"""Two slips in one name, on top of each one's own cost."""
RATHER_A_STREET: Final = 0.82
"""丽江7号 for number 7 of the community 丽江小区."""
NOTHING_KEPT: Final = 0.95
"""The one character that is the name's own was written otherwise: 石头道街."""
BOTH_DIFFER: Final = 0.90
"""A slip in the name and another type of street: rather a street that is not there."""
