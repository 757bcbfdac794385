"""Run by itself (watchdog.py PARENT CHILD SIGNAL): signals the child once the parent is gone."""

import os
import sys
import time


def watch(parent: int, child: int, number: int) -> None:
    """Return when the child has ended by itself, or has been sent signal `number` after the
    parent's end."""
    while True:
        try:
            os.kill(child, 0 if os.getppid() == parent else number)
        except ProcessLookupError:
            return
        except PermissionError:  # the pid is somebody else's by now
            return
        if os.getppid() != parent:
            return
        time.sleep(0.2)


if __name__ == "__main__":
    watch(*(int(argument) for argument in sys.argv[1:4]))
