"""Times keep their order: centre < worker < lease < redelivery, and who waits for an answer waits longer than we work.

Half of it stands in the template, half in the code; a change of one side alone fails here.
"""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from einvoice import wiring
from einvoice.application.ports import Timing
from einvoice.edge import http
from tests import service

API_GATEWAY_S = 30  # the longest an HTTP API waits for an integration
AUTHORIZER_S = 10  # and for its authorizer
LEASING = (  # those that claim or take over
    "IssueFunction",
    "VoidFunction",
    "ReissueFunction",
    "AllowanceFunction",
    "CorrectionsFunction",
    "RecoverFunction",
)
TIMING = Timing()


def timeout(template, function: str) -> int:
    """Seconds after which Lambda ends it."""
    seconds: int = template.of("AWS::Lambda::Function")[function]["Timeout"]
    return seconds


def longest_s(config) -> float:
    """The longest one AWS call may take: every try, and the pauses of botocore's standard mode between them."""
    tries = config.retries["total_max_attempts"]
    pauses = sum(2**attempt for attempt in range(tries - 1))
    return tries * (config.connect_timeout + config.read_timeout) + pauses


@pytest.mark.parametrize("function", LEASING)
def test_lease_outlives_its_function(template, function):
    """A worker whose lease ends before Lambda ends it could send once more for an order somebody took over."""
    seconds = timeout(template, function)
    work = http.work(SimpleNamespace(clock=time), service.Context(seconds), "c")
    assert http.LEASE_MARGIN_S >= 5  # Lambda's clock and ours, and the write that was on its way
    assert work.lease_s >= seconds + http.LEASE_MARGIN_S


def test_a_message_that_comes_again_finds_the_lease_over(template):
    """It is then driven on rather than met with "in progress"."""
    queues = template.of("AWS::SQS::Queue")
    for function, queue, _ in template.mappings():
        assert queues[queue]["VisibilityTimeout"] > timeout(template, function) + http.LEASE_MARGIN_S, queue


def test_a_call_and_its_look_up_end_before_the_function(template):
    """The longest provider call, the look-up after it, and the commit fit into one HTTP request."""
    longest = TIMING.provider_cap_s + TIMING.look_cap_s + TIMING.reserve_s
    assert TIMING.look_cap_s < TIMING.provider_cap_s <= 15
    for function in set(template.route_functions().values()):
        assert longest < timeout(template, function) < API_GATEWAY_S, function


def test_the_commit_has_time_for_a_slow_table():
    """What is kept back for it is at least one try that runs into its timeout; a call needs time, too."""
    assert TIMING.reserve_s >= wiring.AWS_CONFIG.read_timeout
    assert TIMING.least_s > 0


def test_a_dead_table_is_told_before_the_function_ends(template):
    """503 with our code, and not a gateway's own; botocore's defaults wait longer than API Gateway."""
    for function in set(template.route_functions().values()):
        assert longest_s(wiring.AWS_CONFIG) < timeout(template, function)


def test_a_dead_table_is_told_before_the_authorizer_ends(template):
    """The authorizer's one read, all tries of it, in less than what it has."""
    assert longest_s(service.load("authorize").AWS_CONFIG) < timeout(template, "AuthorizeFunction") <= AUTHORIZER_S


def test_recover_begins_nothing_it_cannot_finish(template):
    """What it keeps back takes one order's look-up, its call and its commit; and leaves most of its minute for work."""
    reserve = service.load("recover").RESERVE_S
    assert TIMING.provider_cap_s + TIMING.look_cap_s + TIMING.reserve_s <= reserve
    assert reserve <= timeout(template, "RecoverFunction") / 2


def test_confirm_begins_nothing_it_cannot_finish(template):
    """What it keeps back takes a call that was sent just before, and the commit; and leaves most of its time for work.

    An order of several documents has several look-ups: each is given only what is left before the commit.
    """
    reserve = service.load("confirm").RESERVE_S
    assert TIMING.look_cap_s + TIMING.reserve_s < reserve <= timeout(template, "ConfirmFunction") / 2


@pytest.mark.parametrize(("function", "every_s"), [("RecoverFunction", 60), ("ConfirmFunction", 300)])
def test_what_runs_on_a_schedule_is_over_before_it_is_wanted_again(template, function, every_s):
    """One at a time, and none left out."""
    (rule,) = [r for r in template.of("AWS::Events::Rule").values() if function in str(r["Targets"])]
    assert rule["ScheduleExpression"] == {60: "rate(1 minute)", 300: "rate(5 minutes)"}[every_s]
    assert timeout(template, function) <= every_s
