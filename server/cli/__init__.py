"""The commands of `heatops`, one file each; what is slow to import is imported when it is used."""

import rich_click as click

from server import __version__
from server.cli.account import account
from server.cli.addresses import addresses
from server.cli.city import city
from server.cli.company import company
from server.cli.demo import demo
from server.cli.doctor import doctor
from server.cli.exports import export
from server.cli.imports import import_
from server.cli.migrate import migrate
from server.cli.parts import core, photo, photo_viewer, photo_worker, planner, serve
from server.cli.replay import replay
from server.cli.token import source_token
from server.cli.up import up


@click.group()
@click.version_option(__version__, package_name="heatops")
def heatops() -> None:
    """A real-time command centre for district-heating companies."""


for command in (
    account, company, up, serve, core, photo, photo_viewer, photo_worker, planner, migrate,
    doctor, city, import_, export, source_token, demo, addresses, replay,
):  # fmt: skip
    heatops.add_command(command)

__all__ = ["heatops"]
