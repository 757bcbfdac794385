"""A crew: register, shift, the tickets it has in hand, its van, and whether its position is known.

A crew may have several tickets in hand; the one it is furthest on is its current one. One that is
stopped keeps what it has and takes nothing more.
"""

from dispatch_core.crews.decide import decide
from dispatch_core.crews.register import MEMBERS_MIN
from dispatch_core.crews.state import POLICY, STAGES, Crew, Policy, Stopped, apply, doing
from dispatch_core.crews.watch import stop_over, watch

__all__ = [
    "MEMBERS_MIN", "POLICY", "STAGES", "Crew", "Policy", "Stopped", "apply", "decide", "doing",
    "stop_over", "watch",
]  # fmt: skip
