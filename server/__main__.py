"""The `heatops` command: `python -m server`."""

import sys


def main() -> None:
    """Run the command line and exit; a failure the user can mend is two lines and a code, no
    trace."""
    from server.cli import heatops
    from server.cli.output import show_error
    from server.settings import UserError

    try:
        heatops(prog_name="heatops")
    except UserError as error:
        show_error(error)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
