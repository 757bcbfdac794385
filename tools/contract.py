"""Writes web/src/lib/wire.ts, rows.ts and docs/asyncapi.json from the catalogue (`make types`)."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from realtime import contract  # noqa: E402
from server import __version__  # noqa: E402

TYPES = ROOT / "web" / "src" / "lib" / "wire.ts"
ROWS = ROOT / "web" / "src" / "lib" / "rows.ts"
ASYNCAPI = ROOT / "docs" / "asyncapi.json"


def main() -> None:
    """Write all three files."""
    ROWS.write_text(contract.typescript_rows(), "utf-8")
    TYPES.write_text(contract.typescript(), "utf-8")
    ASYNCAPI.write_text(contract.asyncapi_text(__version__), "utf-8")


if __name__ == "__main__":
    main()
