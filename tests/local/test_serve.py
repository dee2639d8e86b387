"""What ``serve`` prints and writes is what a person needs."""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local import serve
from local.rest import Reply, call
from local.stack import Stack

pytestmark = pytest.mark.embedded


def pasted(line: str) -> Reply:
    """What a shell and curl would make of the line."""
    curl = argparse.ArgumentParser()
    curl.add_argument("-sS", action="store_true")
    curl.add_argument("-X")
    curl.add_argument("-H", action="append")
    curl.add_argument("-d")
    curl.add_argument("--aws-sigv4")
    curl.add_argument("--user")
    curl.add_argument("url")
    command, *words = shlex.split(line)
    assert command == "curl"
    given = curl.parse_args(words)
    headers = dict(header.split(": ", 1) for header in given.H or [])
    if given.aws_sigv4:
        _, _, region, service = given.aws_sigv4.split(":")
        request = AWSRequest(given.X, given.url, data=given.d)
        SigV4Auth(Credentials(*given.user.split(":")), service, region).add_auth(request)
        headers |= dict(request.headers)
    return call(given.X, given.url, json.loads(given.d), headers)


def test_the_printed_lines_work_as_they_are(stack: Stack):
    """One issues an invoice, one moves the clock by an hour, two run what else a schedule runs."""
    before = stack.now()
    lines = [line.strip() for line in serve.describe(stack).splitlines() if line.strip().startswith("curl")]
    issue, _, advance, confirm, recover = lines
    assert pasted(issue).status in (200, 201)
    assert pasted(advance).status == 200
    assert 3600 <= (stack.now() - before).total_seconds() < 3700
    stack.advance(86_400)
    ran = [pasted(confirm), pasted(recover)]
    assert [reply.status for reply in ran] == [200, 200]
    assert ran[0].body["due"] > 0
    assert "due" in ran[1].body


def test_the_functions_logs_come_together_in_one_file_each_entry_once(stack: Stack, tmp_path: Path):
    """What the functions wrote is copied with the function's name, and not again."""
    path = tmp_path / "functions.log"
    logs = serve.FunctionLogs(stack.client("logs"), path)
    stack.request("GET", "/v1/health")
    logs.copy()
    assert "orders  " in path.read_text()
    logs.copy()
    reports = [line for line in path.read_text().splitlines() if "REPORT RequestId" in line]
    assert len(reports) == len(set(reports)) > 0
