"""The running service of ``tests/application``, what it logs, and a table whose answers can be changed."""

from __future__ import annotations

from tests.application.conftest import _running, one_write_at_a_time, service
from tests.edge.conftest import logged

__all__ = ["_running", "logged", "one_write_at_a_time", "service"]
