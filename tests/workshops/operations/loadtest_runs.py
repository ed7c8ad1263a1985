"""What the tests of load runs share."""

from __future__ import annotations

from workshops.operations.loadtest.servers import Kind

LOSING = Kind(
    "losing", "a server that loses a vote",
    ("-m", "daphne", "-v", "0", "-b", "127.0.0.1", "-p", "{port}", "tests.lossy_server:application"),
)  # fmt: skip


def not_about_this_machine(run):
    return [reason for reason in run["reasons"] if "load client" not in reason]
