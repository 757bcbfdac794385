"""What the commands do beside serving: importing cities and files, exporting, living the demo."""

from server.work.city import import_city
from server.work.demo import run_demo
from server.work.imports import export_file, import_file
from server.work.policy import company_policy
from server.work.replay import replay_ticket

__all__ = [
    "company_policy", "export_file", "import_city", "import_file", "replay_ticket", "run_demo",
]  # fmt: skip
