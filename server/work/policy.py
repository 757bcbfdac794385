"""Which city's policy holds for a company."""

from __future__ import annotations

from typing import Any

from server.adapters.policies import SHIPPED, choose_policy
from server.settings import Settings, UserError
from server.work.company import company_meant, owner_dsn


async def company_policy(settings: Settings, code: str | None, new: str | None) -> dict[str, Any]:
    """The policy of a company, changed to `new` first if that is given.

    Raises:
        UserError: `no_such_policy`, `which_company`, `no_such_company`.
    """
    dsn = owner_dsn(settings)
    company, name = await company_meant(dsn, code, None)
    known = sorted(folder.name for folder in SHIPPED.iterdir() if folder.is_dir())
    if new is not None and new not in known:
        raise UserError(
            "no_such_policy",
            f"There is no policy {new}.",
            f"Known: {', '.join(known)}. A company's own rules go into"
            f" {settings.data / 'policies' / name}.",
        )
    return {
        "company": name,
        "policy": await choose_policy(dsn, company, new),
        "known": known,
    }
