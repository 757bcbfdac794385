"""Which company a command means, and where its database is."""

from __future__ import annotations

from collections.abc import Callable

from server.adapters.accounts import company_codes, ensure_company
from server.adapters.cities import company_id
from server.settings import Settings, UserError

Progress = Callable[[str, float], None]
"""Hears the step that is under way and how much of it is done, 0 to 1."""


def owner_dsn(settings: Settings) -> str:
    """The owner's way to the database; the command line has attached the engines before."""
    assert settings.database_url is not None  # noqa: S101 - the CLI attaches the engines first
    return settings.database_url


async def company_meant(dsn: str, code: str | None, new_name: str | None) -> tuple[int, str]:
    """(company, code): by code, made under `new_name` if it is missing, or the only one there is.

    Raises:
        UserError: `which_company`, `no_such_company`.
    """
    if code is None:
        code = await _only_company(dsn)
    if new_name is not None:
        return await ensure_company(dsn, code, new_name), code
    return await company_id(dsn, code), code


async def _only_company(dsn: str) -> str:
    codes = await company_codes(dsn)
    if len(codes) == 1:
        return codes[0]
    raise UserError(
        "which_company",
        f"There are {len(codes)} companies: {', '.join(codes)}."
        if codes
        else "There is no company yet.",
        "Name one with --company CODE, or make one with --company CODE --new-company NAME.",
    )
