"""`heatops account`: who works in a company, and what each may do."""

from __future__ import annotations

import asyncio
import sys

import rich_click as click

from server.cli.attach import prepared
from server.cli.output import json_option, show, show_json
from server.settings import UserError, from_env

ROLES = ("administrator", "manager", "seat", "wall")


@click.group("account")
def account() -> None:
    """People: administrators, managers, seats, and sessions that only feed a wall."""


@account.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), required=True, help="What the person may do.")
@click.option("--company", help="Code of the company; needed where there are several.")
@click.option("--password-stdin", is_flag=True, help="Read the password's one line from stdin.")
@json_option
def add(name: str, role: str, company: str | None, *, password_stdin: bool, as_json: bool) -> None:
    """Let NAME into a company, or give another role or password.

    A password is asked for unless it comes by --password-stdin; leave it empty to keep the one
    that NAME has.
    """
    settings = from_env()
    from dispatch_core.errors import Invalid
    from server.adapters.accounts import add_account
    from server.work.company import company_meant

    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt(
            "Password", hide_input=True, confirmation_prompt=True, default="", show_default=False,
            err=True,
        )  # fmt: skip

    async def work(dsn: str) -> tuple[str, bool]:
        number, code = await company_meant(dsn, company, None)
        return code, await add_account(dsn, number, name, role, password or None)  # type: ignore[arg-type]

    with prepared(settings) as engines:
        try:
            code, new = asyncio.run(work(engines.database_url))
        except Invalid as refused:
            raise UserError(refused.code, refused.detail, refused.what_to_do) from None
    if as_json:
        show_json(company=code, name=name, role=role, new=new)
    else:
        show(f"{name} is {role} of {code}." + ("" if new else " The account was there already."))


@account.command("list")
@json_option
def list_(*, as_json: bool) -> None:
    """Every account with its companies and roles."""
    settings = from_env()
    from server.adapters.accounts import list_accounts

    with prepared(settings) as engines:
        found = asyncio.run(list_accounts(engines.database_url))
    for name, company, role in found:
        if as_json:
            show_json(name=name, company=company, role=role)
        else:
            show(f"{name:<20} {company:<16} {role}")
