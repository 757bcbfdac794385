"""The life of a ticket: decided from its state and from the version that the caller saw.

received -> accepted -> dispatched -> confirmed -> handling -> verifying -> closed. A ticket can be
given to another crew until it is handled, cancelled until it is closed, and reopened from verifying
or closed. Warnings (near, passed, lost contact) are facts of the same stream; they change nothing
that a person decided upon, so a caller who has not seen them yet is not refused.
"""

from dispatch_core.tickets.applied import apply
from dispatch_core.tickets.decide import decide
from dispatch_core.tickets.state import OPEN, POSSIBLE, Ticket
from dispatch_core.tickets.visit import (
    Appointment,
    Escalation,
    HeldPermit,
    Lock,
    PartsWait,
    overlap,
)
from dispatch_core.tickets.watch import next_look, owed, watch

__all__ = [
    "OPEN", "POSSIBLE", "Appointment", "Escalation", "HeldPermit", "Lock", "PartsWait", "Ticket",
    "apply", "decide", "next_look", "overlap", "owed", "watch",
]  # fmt: skip
