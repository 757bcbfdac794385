"""What the commands do beside serving: importing a city, importing tickets, living the demo."""

from server.work.city import import_city
from server.work.demo import run_demo
from server.work.policy import company_policy
from server.work.tickets import import_tickets

__all__ = ["company_policy", "import_city", "import_tickets", "run_demo"]
