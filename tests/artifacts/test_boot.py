"""Each function as it is built boots with nothing but its task root and the layer, and answers one real event.

AWS cannot be reached here, on purpose: the answers are those of a function whose table is gone, which takes the handler
through everything it imports. What the functions do with a table is proved elsewhere; here it is what they consist of.
"""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from einvoice.api_keys import SCOPES, KeyTerms, mint
from einvoice.identity import allowance_id, allowance_name, invoice_id
from einvoice.model import OrderKey
from local import orders
from local.processes import free_port
from tests.artifacts.conftest import BOOTS, functions
from tests.artifacts.host import Answer, Booted
from tests.template.reading import ROOT, Template

MERCHANT = "demo-shop"
ORDER = OrderKey(MERCHANT, "api", "1018")
INVOICE, ALLOWANCE = invoice_id(ORDER, 1), allowance_id(ORDER, 1)
KEY = mint(KeyTerms(MERCHANT, SCOPES, "boot"), datetime(2026, 3, 14, tzinfo=UTC)).presented
PATHS = "import sysconfig as s; print(s.get_path('stdlib'), s.get_path('purelib'))"
INSTALLED = "from importlib.metadata import distributions as d; print(*(one.name for one in d()))"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
LOADED = re.compile(r"# (?:code object from|extension module '[^']+' loaded from) '?([^'\n]+)'?")  # quoted if bytecode


def http(route: str, body: object = None, **path: str) -> dict[str, Any]:
    """An HTTP API event, payload 2.0, of a merchant the authorizer knows."""
    granted = {"lambda": {"merchant": MERCHANT, "scopes": " ".join(SCOPES), "key_id": "k"}}
    return {
        "version": "2.0",
        "routeKey": route,
        "headers": {"content-type": "application/json"},
        "pathParameters": path,
        "requestContext": {"requestId": "r-0000001", "authorizer": granted},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


def record(command: str, **body: object) -> dict[str, Any]:
    """An SQS event of one message."""
    message = {"merchant_id": MERCHANT, "command": command, **body}
    return {"Records": [{"messageId": "m-1", "body": json.dumps(message), "eventSource": "aws:sqs"}]}


def bearer(key: str) -> dict[str, Any]:
    """A request as the authorizer gets it."""
    return {"version": "2.0", "type": "REQUEST", "headers": {"authorization": f"Bearer {key}"}}


def no_ledger(answer: Answer) -> None:
    """Our own problem document: nothing was sent, repeat the request."""
    assert answer.ok, answer.body
    assert answer.body["headers"]["content-type"].startswith("application/problem+json")
    told = json.loads(answer.body["body"])
    assert (answer.body["statusCode"], told["code"]) == (503, "LEDGER_UNAVAILABLE")


def comes_again(answer: Answer) -> None:
    """The message stays in its queue."""
    assert answer == Answer(ok=True, body={"batchItemFailures": [{"itemIdentifier": "m-1"}]})


def asks_again(answer: Answer) -> None:
    """The centre calls again later."""
    assert (answer.ok, answer.body["statusCode"], answer.body["body"]) == (True, 503, "0|LATER")


def unheard(answer: Answer) -> None:
    """Not the centre, and no reason to ask anybody."""
    assert (answer.ok, answer.body["statusCode"], answer.body["body"]) == (True, 400, "0|NOT_OURS")


def healthy(answer: Answer) -> None:
    """Health asks nobody."""
    assert (answer.ok, answer.body["statusCode"], answer.body["body"]) == (True, 200, '{"status":"ok"}')


def refused(answer: Answer) -> None:
    """A definite no."""
    assert answer == Answer(ok=True, body={"isAuthorized": False})


def raised(answer: Answer) -> None:
    """No answer would be true: the invocation fails, by our own error."""
    assert (answer.ok, answer.body["errorType"]) == (False, "StoreUnavailable")


VOID, REISSUE = {"reason": "客戶取消訂單"}, {"reason": "統編錯誤", "corrections": {}}
REFUND, CANCEL = {"reason": "退貨", "refund_id": "R1", "amount_twd": 350}, {"goal": "cancel", **VOID}
CALLBACK = "POST /v1/callbacks/ecpay/{merchant_id}/{name}"
PATH = {"source": "api", "order_id": "1018"}
EVENTS = {
    "IssueFunction": [
        (http("POST /v1/invoices", orders.donation("1018")), no_ledger),
        (record("issue", **orders.donation("1018")), comes_again),
    ],
    "VoidFunction": [
        (http("POST /v1/invoices/{id}/void", VOID, id=INVOICE), no_ledger),
        (record("void", invoice_id=INVOICE, **VOID), comes_again),
    ],
    "ReissueFunction": [
        (http("POST /v1/invoices/{id}/reissue", REISSUE, id=INVOICE), no_ledger),
        (record("reissue", invoice_id=INVOICE, **REISSUE), comes_again),
    ],
    "AllowanceFunction": [
        (http("POST /v1/invoices/{id}/allowances", REFUND, id=INVOICE), no_ledger),
        (http("POST /v1/allowances/{id}/void", VOID, id=ALLOWANCE), no_ledger),
        (record("allowance", invoice_id=INVOICE, **REFUND), comes_again),
    ],
    "CorrectionsFunction": [
        (http("POST /v1/orders/{source}/{order_id}/corrections", CANCEL, **PATH), no_ledger),
        (http("PATCH /v1/orders/{source}/{order_id}/facts", {"consent": {}}, **PATH), no_ledger),
        (http("PUT /v1/filings/{period}", {}, period="11412"), no_ledger),
    ],
    "CallbacksFunction": [
        (http(CALLBACK, merchant_id=MERCHANT, name=allowance_name("CU2VROEINDLWRQT5ZTX3", 1)), asks_again),
        (http(CALLBACK, merchant_id=MERCHANT, name="nonsense"), unheard),
    ],
    "OrdersFunction": [
        (http("GET /v1/health"), healthy),
        (http("GET /v1/invoices/{id}", id=INVOICE), no_ledger),
        (http("GET /v1/invoices/{id}/print", id=INVOICE), no_ledger),
        (http("GET /v1/orders/{source}/{order_id}", **PATH), no_ledger),
        (http("GET /v1/allowances/{id}", id=ALLOWANCE), no_ledger),
        (http("GET /v1/deadlines"), no_ledger),
    ],
    "AuthorizeFunction": [(bearer("nonsense"), refused), (bearer(KEY), raised)],
    "RecoverFunction": [({}, raised)],
    "ConfirmFunction": [({}, raised)],
}


def environment(template: Template, function: str) -> dict[str, str]:
    """What Lambda sets, and the function's own variables; parameters and resources by their name."""
    own = template.of("AWS::Lambda::Function")[function]["Environment"]["Variables"]
    named = {name: value if isinstance(value, str) else next(iter(value.values())) for name, value in own.items()}
    unset = {"PUBLIC_URL": "", "CLOCK_SOURCE": "", "ALLOWED_PRIVATE_TARGETS": "", "POWERTOOLS_LOG_LEVEL": "INFO"}
    lambdas_own = {
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/einvoice/{function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "s",
        "AWS_REGION": "ap-northeast-1",
        "AWS_DEFAULT_REGION": "ap-northeast-1",
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}",  # nobody listens there
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": "/usr/bin:/bin",
    }
    return named | unset | lambdas_own


def files(*folders: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and time: what a process has left behind shows."""
    return {str(path): (at.st_size, at.st_mtime_ns) for f in folders for path in f.rglob("*") if (at := path.stat())}


def test_there_is_an_event_for_every_function():
    """A new function cannot stay without one."""
    assert set(EVENTS) == set(functions())


def test_lambdas_own_side_stands_in_for_nothing_of_ours(runtime):
    """A package that the layer lacks is missed: of what the layer must have, that Python has nothing."""
    locked = {name.lower() for name in PINNED.findall((ROOT / "requirements" / "runtime.txt").read_text("utf-8"))}
    installed = set(subprocess.check_output([runtime, "-s", "-c", INSTALLED], text=True).lower().split())
    assert "awslambdaric" in installed
    assert "botocore" in locked
    assert installed & locked == set()


@pytest.mark.parametrize("function", functions())
def test_function_boots_and_answers(function, native, runtime, template, tmp_path):
    """Through Lambda's own bootstrap; every answer is one that its caller can act on."""
    env = environment(template, function)
    with Booted(runtime, native / function, native / "SharedLayer", env, tmp_path / "log") as booted:
        BOOTS[function] = booted.boot_s
        for event, check in EVENTS[function]:
            check(booted.invoke(event))


@pytest.mark.parametrize("function", functions())
def test_nothing_is_taken_from_elsewhere_and_nothing_is_compiled(function, native, runtime, template, tmp_path):
    """Every import is the standard library's, Lambda's own, or shipped.

    What is shipped comes as bytecode, or as a library for this processor; the read-only folders stay as they were.
    """
    shipped = [native / function, native / "SharedLayer" / "python"]
    stdlib, site = map(Path, subprocess.check_output([runtime, "-s", "-c", PATHS], text=True).split())
    before = files(*shipped)
    env = environment(template, function) | {"PYTHONVERBOSE": "1"}
    with Booted(runtime, native / function, native / "SharedLayer", env, tmp_path / "log") as booted:
        for event, _ in EVENTS[function]:
            booted.invoke(event)
        loaded = {Path(path) for path in LOADED.findall(booted.log())}
    ours = {path for path in loaded if any(path.is_relative_to(folder) for folder in shipped)}
    elsewhere = {p for p in loaded - ours if not p.is_relative_to(site)}
    strangers = {p for p in elsewhere if not p.is_relative_to(stdlib) or p.is_relative_to(stdlib / "site-packages")}
    assert strangers == set()
    assert {path.suffix for path in ours} <= {".pyc", ".so"}
    assert any(path.is_relative_to(native / function) for path in ours)
    for package in ("einvoice", "botocore"):
        assert any(path.is_relative_to(shipped[1] / package) for path in ours)
    assert files(*shipped) == before
