"""The clock and the control API over HTTP; start, stop and the command line."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from simulators.ecpay import Settings, Simulator, start
from tests.simulators.ecpay_client import MERCHANT, Client, order

GONE = (http.client.RemoteDisconnected, ConnectionError, http.client.IncompleteRead)
ROOT = Path(__file__).parents[2]


def body(client: Client, relate: str) -> bytes:
    """An Issue."""
    return client.body({"MerchantID": MERCHANT, **order(relate)})


def test_clock_over_http(sim: Simulator, client: Client) -> None:
    """GET tells, POST moves, nonsense is refused."""
    status, told = client.control("GET", "clock")
    assert (status, told["offset_s"]) == (200, 0)
    moved = client.control("POST", "clock", {"now": "2026-03-14T00:00:00+08:00"})[1]
    assert moved["now"].startswith("2026-03-14T00:00:0")
    assert client.control("POST", "clock", {"advance_s": 86400})[1]["now"].startswith("2026-03-15")
    for wrong in ({}, {"now": "soon"}, {"now": 1}, {"advance_s": "1"}, {"move": 1}):
        assert client.control("POST", "clock", wrong)[0] == 400
    assert sim.now().isoformat().startswith("2026-03-15")


def test_control_over_http(sim: Simulator, client: Client) -> None:
    """Every route answers, and says what the simulator object says."""
    fault = client.control("POST", "faults", {"kind": "drop_after", "relate": "H0"})[1]
    assert (fault["kind"], fault["times"], client.control("GET", "faults")[1]["faults"][0]["id"]) == (
        "drop_after",
        1,
        fault["id"],
    )
    assert client.control("DELETE", "faults")[0] == 200
    assert client.call("Issue", **order("H1")).code == 1
    (invoice,) = client.control("GET", "invoices?relate=h1")[1]["invoices"]
    assert (invoice["relate_number"], invoice["total"], invoice["living"]) == ("H1", 100, True)
    assert client.control("GET", f"invoices?number={invoice['number']}")[1]["invoices"] == [invoice]
    assert client.control("GET", "orders/H1")[1]["calls"][0]["op"] == "Issue"
    assert client.control("GET", "orders/none")[0] == 404
    (call,) = client.control("GET", "calls?op=issue")[1]["calls"]
    assert (call["committed"], call["rtn_code"], call["answer"], call["http_status"]) == (True, 1, "ok", 200)
    assert "buyer@example.com" not in json.dumps(client.control("GET", "calls")[1])
    assert client.control("DELETE", "calls")[0] == 200
    assert client.control("GET", "calls")[1] == {"calls": [], "arriving": []}
    assert client.control("GET", "allowances")[1] == {"allowances": []}
    merchant = {"merchant_id": "3000002", "key": "k" * 16, "iv": "i" * 16}
    assert len(client.control("POST", "merchants", merchant)[1]["merchants"]) == 2
    assert client.control("POST", "merchants", {**merchant, "key": "short"})[0] == 400
    assert "k" * 16 not in json.dumps(client.control("GET", "merchants")[1])
    assert len(client.control("GET", "tracks")[1]["tracks"]) == 8
    assert client.control("POST", "tracks", {"exhaust": True})[1]["thrown_away"] > 0
    assert client.control("POST", "tracks", {"header": "XX", "start": 0, "end": 49})[1]["left"] == 50
    assert client.control("POST", "tracks", {"exhaust": True, "merchant_id": "none"})[0] == 404
    assert client.call("Issue", **order("H2")).data["InvoiceNo"] == "XX00000000"
    assert client.control("POST", "registry", {"companies": {"00000000": "甲"}})[1]["companies"]["00000000"] == "甲"
    assert client.control("POST", "settings", {"profile": "doc"})[1]["profile"] == "doc"
    assert client.control("POST", "settings", {"profile": "wild"})[0] == 400
    assert client.control("POST", "settings", {"unheard": 1})[0] == 400
    assert client.control("POST", "reset")[0] == 200
    assert (sim.invoices(), sim.calls(), sim.faults()) == ([], [], [])
    assert client.control("GET", "nowhere")[0] == 404
    assert client.call("Issue", **order("H1")).code == 1


def test_start_is_quick_and_close_ends_everything() -> None:
    """Under 100 ms to start; close frees the port and ends a hanging caller."""
    began = time.perf_counter()
    sim = start()
    assert time.perf_counter() - began < 0.1
    sim.fault("hang")
    client = Client(sim.url)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(client.post, "/B2CInvoice/Issue", body(client, "Z"))
        while not sim.calls():
            time.sleep(0.005)
        sim.close()
        assert isinstance(waiting.exception(timeout=2), GONE)
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(sim.url.rsplit(":", 1)[1])), timeout=1)


def test_command_line() -> None:
    """``python -m simulators.ecpay`` prints its address, takes merchants and a start of time, and ends on a signal."""
    command = [sys.executable, "-m", "simulators.ecpay", "--port", "0", "--now", "2026-03-14T00:00:00"]
    command += ["--merchant", f"3000001:{'k' * 16}:{'i' * 16}", "--profile", "doc"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        url = process.stdout.readline().split(" at ")[1].split(",")[0]
        client = Client(url, merchant="3000001", key="k" * 16, iv="i" * 16)
        told = client.control("GET", "clock")[1]
        assert told["now"].startswith("2026-03-14T00:00")
        client.now = lambda: datetime.fromisoformat(told["now"]).timestamp()
        assert client.call("Issue", **order("CLI")).code == 1
        process.terminate()
        assert process.wait(timeout=5) == 0


def test_switches_are_given_at_the_start() -> None:
    """Without default tracks there is no number at all."""
    with start(settings=Settings(default_tracks=False)) as sim:
        assert Client(sim.url).call("Issue", **order("S")).code == 5070350
