"""Serve the project with Daphne or Uvicorn (`live.servers`)."""

from __future__ import annotations

from importlib import import_module

from django.core.management.base import BaseCommand

from workshops.live.servers import raise_file_limit
from workshops.operations import database_log
from workshops.operations.schema import refuse_earlier_schema


class Command(BaseCommand):
    help = "Serve pages and websockets from one process. For a room of people it is enough."

    def add_arguments(self, parser):
        parser.add_argument(
            "--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other devices in"
        )
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--server", choices=["daphne", "uvicorn"], default="daphne")

    def handle(self, *args, host: str, port: int, server: str, **options):
        refuse_earlier_schema()
        database_log.warn()
        self.serve(host, port, server=server)

    def serve(self, host: str, port: int, ready=None, server: str = "daphne") -> None:
        raise_file_limit(self.stderr.write)
        # Imported by its name: Daphne installs Twisted's event loop when it is imported.
        import_module(f"workshops.live.servers.{server}").serve(host, port, ready)
