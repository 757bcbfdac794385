"""What the commands do beside serving: importing cities and files, exporting, living the demo."""

from server.work.city import import_city
from server.work.demo import run_demo
from server.work.imports import export_file, import_file
from server.work.policy import company_policy

__all__ = ["company_policy", "export_file", "import_city", "import_file", "run_demo"]
