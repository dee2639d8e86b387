"""The published contract (對外契約), written from the code: ``make openapi``, or ``python -m tools.openapi``.

``docs/openapi.json`` (the HTTP API), ``docs/queue-messages.schema.json`` (the queues) and the tables of
``docs/api.md``. The three are checked in; a test fails where they are not what the code makes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools import contract_examples as example
from tools.contract_guide import filled_in
from tools.contract_operations import OPERATIONS, Operation
from tools.contract_schemas import MESSAGES, REQUESTS, answer_schemas, request_schemas

Json = dict[str, Any]

DOCS = Path(__file__).resolve().parents[1] / "docs"
OPENAPI, QUEUES, GUIDE = DOCS / "openapi.json", DOCS / "queue-messages.schema.json", DOCS / "api.md"
VERSION = "1.1.0"  # of the contract: raise it with every change a caller can see
SCHEMAS = "#/components/schemas/"

_ABOUT = """Issues (開立), voids (作廢), allows (折讓), corrects (更正) and re-issues (再次開立) Taiwan uniform invoices
(統一發票).

One order never owns two living invoices, none is lost, and no answer says "failed" while an invoice lives. Any request
may be repeated as it was: **a 5xx without our `code` means nothing but: repeat the same request.** Callers ignore
fields, codes and events they do not know, and act on `next_action`. Guide: `docs/api.md`."""

_KEYS = """API key (API 金鑰): `Authorization: Bearer …`. A key has scopes: `invoices:write` (issue), `invoices:void`,
`invoices:reissue`, `invoices:correct`, `invoices:allowance`, `invoices:read`; every operation names the one it needs.
The merchant comes from the key."""

_HEADERS: Json = {
    "X-Correlation-Id": {
        "description": "The request's own X-Correlation-Id if it was usable, else one of ours: quote it to support. "
        "Every answer has it that is not a gateway's own",
        "required": False,
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Path of the invoice: read it there later",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "OrderLocation": {
        "description": "Path of the order: read there how it went on; absent for a preview",
        "required": False,
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {
        "description": "Seconds after which asking again may tell more; absent where only a person can go on",
        "required": False,
        "schema": {"type": "integer", "minimum": 1, "maximum": 86400},
    },
}
_HEADER_NAMES = {"OrderLocation": "Location"}  # where one name means two things
_PARAMETERS: Json = {
    "InvoiceId": {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "發票識別碼 as answered; another merchant's is 404, as one that does not exist",
        "schema": {"type": "string"},
        "example": example.FIRST,
    },
    "AllowanceId": {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "折讓識別碼 as answered; another merchant's is 404, as one that does not exist",
        "schema": {"type": "string"},
        "example": example.ALLOWANCE_ID,
    },
    "CorrectionId": {
        "name": "id",
        "in": "path",
        "required": True,
        "description": "Which of the order's corrections: its `id`",
        "schema": {"type": "integer", "minimum": 1},
        "example": 1,
    },
    "Period": {
        "name": "period",
        "in": "path",
        "required": True,
        "description": "期別: ROC year and the period's even month; for those who file monthly, the month",
        "schema": {"type": "string", "pattern": "^[0-9]{3}(0[1-9]|1[0-2])$"},
        "example": "11502",
    },
    "MerchantId": {
        "name": "merchant_id",
        "in": "path",
        "required": True,
        "description": "商店代號 of this service",
        "schema": {"type": "string"},
        "example": example.KEY.merchant,
    },
    "CallbackName": {
        "name": "name",
        "in": "path",
        "required": True,
        "description": "What the service called the allowance when it asked",
        "schema": {"type": "string"},
        "example": example.CALLBACK_NAME,
    },
    "Source": {
        "name": "source",
        "in": "path",
        "required": True,
        "description": "Where the order id comes from",
        "schema": {"type": "string"},
        "example": "api",
    },
    "OrderId": {
        "name": "order_id",
        "in": "path",
        "required": True,
        "description": "訂單編號, percent-encoded",
        "schema": {"type": "string"},
        "example": "1001",
    },
    "Within": {
        "name": "within",
        "in": "query",
        "required": False,
        "description": "How far ahead: hours or days, at most 62 days; without it 48h",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,3}[hd]$"},
    },
    "Limit": {
        "name": "limit",
        "in": "query",
        "required": False,
        "description": "How many orders one page reads; without it 100",
        "schema": {"type": "integer", "minimum": 1, "maximum": 200},
    },
    "Cursor": {
        "name": "cursor",
        "in": "query",
        "required": False,
        "description": "`next` of the page before; lasts a day",
        "schema": {"type": "string"},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "冪等鍵, per order and operation: the same key with another body is 422. Without one the body "
        "itself tells a repeat from another wish",
        "schema": {"type": "string", "maxLength": 200},
    },
    "CorrelationId": {
        "name": "X-Correlation-Id",
        "in": "header",
        "required": False,
        "description": "Stands in our logs and comes back",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{8,64}$"},
    },
}


def document() -> Json:
    """The OpenAPI 3.1 document."""
    paths: Json = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.1",
        "info": {"title": "einvoice-tw", "version": VERSION, "description": _ABOUT, "license": _LICENSE},
        "servers": [{"url": "https://{host}", "variables": {"host": {"default": "api.example.com"}}}],
        "tags": [{"name": name, "description": words} for name, words in _TAGS.items()],
        "security": [],
        "paths": paths,
        "components": {
            "schemas": dict(sorted((request_schemas(REQUESTS, SCHEMAS) | answer_schemas(SCHEMAS)).items())),
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "securitySchemes": {"ApiKey": {"type": "http", "scheme": "bearer", "description": _KEYS}},
        },
    }


_LICENSE = {"name": "MIT", "identifier": "MIT"}
_TAGS = {
    "invoices": "Issue, void, re-issue, read and print (開立、作廢、再次開立、查詢、列印)",
    "orders": "An order with all its invoices and its log (訂單紀錄)",
    "corrections": "Cancel, refund, correct; facts and filings (更正、事實、申報)",
    "allowances": "Allowances (折讓、折讓作廢、查詢)",
    "callbacks": "The centre's own (加值中心回呼)",
    "service": "The service itself",
}


def queue_schema() -> Json:
    """The JSON Schema of the queues' messages."""
    schemas = request_schemas(MESSAGES, "#/$defs/")
    for name, given in example.MESSAGES.items():
        schemas[name]["examples"] = [given]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:einvoice:queue-messages",
        "title": "Queue messages (佇列訊息)",
        "description": "Body of a message: the HTTP API's JSON, the merchant and the command. MessageGroupId is the "
        "merchant; a message is at most 256 KB. Whoever may send is trusted with every merchant: grant "
        "sqs:SendMessage with care.",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in example.MESSAGES],
        "$defs": dict(sorted(schemas.items())),
    }


def files() -> dict[Path, str]:
    """What every generated file must hold."""
    return {
        OPENAPI: _written(document()),
        QUEUES: _written(queue_schema()),
        GUIDE: filled_in(GUIDE.read_text("utf-8")),
    }


def _operation(operation: Operation) -> Json:
    made: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "security": [{"ApiKey": [operation.scope]}] if operation.scope else [],
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in operation.parameters],
    }
    if operation.body:
        content = {"schema": {"$ref": SCHEMAS + operation.body}, "examples": _examples(operation.examples)}
        made["requestBody"] = {"required": True, "content": {operation.takes: content}}
    made["responses"] = {status: _answer(answer) for status, answer in operation.answers.items()}
    return made


def _answer(answer: Any) -> Json:  # noqa: ANN401 — an Answer
    content: Json = {}
    for media_type, schema, examples in answer.contents:
        content[media_type] = {"schema": {"$ref": SCHEMAS + schema}, "examples": _examples(examples)}
    headers = {_HEADER_NAMES.get(name, name): {"$ref": f"#/components/headers/{name}"} for name in answer.headers}
    return {"description": answer.description, "content": content} | ({"headers": headers} if headers else {})


def _examples(examples: Json) -> Json:
    return {name: {"value": value} for name, value in examples.items()}


def _written(values: Json) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, "utf-8")
        print(path.relative_to(DOCS.parent))
