"""The clock: the machine's own on every real stage, one that can be moved from outside in local runs."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from einvoice.clock import ClockUnavailableError, RemoteClock, SystemClock, from_environment


class Source(HTTPServer):
    """Answers GET with ``body`` and counts how often it was asked."""

    body = b""
    asked = 0


class Answer(BaseHTTPRequestHandler):
    """One answer of the source."""

    def do_GET(self):
        """Answer with the body of the moment."""
        self.server.asked += 1
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def source():
    """A clock source on loopback."""
    with Source(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def url(server) -> str:
    """Where the source listens."""
    return f"http://127.0.0.1:{server.server_port}/_control/clock"


def moved_by(server, seconds: float) -> None:
    """Have the source answer with this offset."""
    server.body = json.dumps({"now": "2026-03-14T00:00:00+08:00", "offset_s": seconds}).encode()


def test_without_a_source_it_is_the_machines_own():
    """Empty or absent, as on every real stage."""
    for env in ({}, {"CLOCK_SOURCE": ""}):
        clock = from_environment(env)
        assert isinstance(clock, SystemClock)
        assert clock.now().tzinfo is UTC
        assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)
        assert clock.monotonic() <= clock.monotonic()


def test_a_moved_clock_is_seen_and_asked_for_at_most_five_times_a_second(source, monkeypatch):
    """The offset is kept for 0.2 seconds and then asked for again; proxies of the environment are not used."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    moved_by(source, -86400.0)
    clock = from_environment({"CLOCK_SOURCE": url(source)})
    for _ in range(20):
        assert abs(clock.now() - (datetime.now(UTC) - timedelta(days=1))) < timedelta(seconds=5)
    assert source.asked <= 2
    moved_by(source, 3600.0)
    time.sleep(0.25)
    assert abs(clock.now() - (datetime.now(UTC) + timedelta(hours=1))) < timedelta(seconds=5)
    assert clock.now().tzinfo is UTC
    before = clock.monotonic()
    assert 0 <= clock.monotonic() - before < 5


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b"null", b'{"offset_s": null}', b'{"offset_s": NaN}', b'{"offset_s": 1e400}', b"\xff"]
)
def test_a_source_without_a_usable_answer_is_an_error(source, body):
    """Rather than issue an invoice at a guessed time."""
    source.body = body
    with pytest.raises(ClockUnavailableError):
        RemoteClock(url(source)).now()


def test_a_source_that_is_gone_is_an_error():
    """The same where nobody listens."""
    with pytest.raises(ClockUnavailableError):
        RemoteClock("http://127.0.0.1:1/clock").now()


def test_only_http_is_a_source():
    """A file on the machine is not a clock."""
    with pytest.raises(ValueError, match="CLOCK_SOURCE"):
        RemoteClock("file:///etc/hostname")
