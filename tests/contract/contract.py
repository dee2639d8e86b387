"""Real answers against the published document: status, media type, headers and body."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from einvoice.edge.corrections import RULES
from einvoice.rules.correction_causes import Cause as CorrectionCause
from einvoice.rules.reissue import Cause
from tests.service import Response, Service
from tools.contract_guide import centre_causes, problems
from tools.contract_schemas import closed
from tools.openapi import OPENAPI, QUEUES

DOCUMENT = json.loads(OPENAPI.read_text("utf-8"))
MESSAGES = json.loads(QUEUES.read_text("utf-8"))
#: what every answer carries beside the headers of the document
ALWAYS = {"content-type", "cache-control"}
FORMATS = FormatChecker(formats=())
#: every code that docs/api.md explains, or refers to docs/rules.md for
CODES = {one.code for one in problems()} | set(Cause.__members__) | set(centre_causes())
CODES |= {*CorrectionCause.__members__, RULES}


@FORMATS.checks("date-time")
def _instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@FORMATS.checks("uri")
def _uri(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme)


def operation(route: str) -> dict[str, Any]:
    """The documented operation of a route."""
    method, path = route.split(" ")
    found: dict[str, Any] = DOCUMENT["paths"][path][method.lower()]
    return found


def resolved(part: dict[str, Any]) -> dict[str, Any]:
    """What a reference into the components points at."""
    while "$ref" in part:
        _, group, name = part["$ref"].removeprefix("#/").split("/")
        part = DOCUMENT["components"][group][name]
    return part


@cache
def validator(name: str) -> Draft202012Validator:
    """A validator of one schema of the document; closed, so that an undocumented field is a failure."""
    schemas = DOCUMENT["components"]["schemas"]
    resource = DRAFT202012.create_resource({"components": {"schemas": closed(schemas)}})
    registry = Registry().with_resource("urn:document", resource)
    return Draft202012Validator(
        {"$ref": f"urn:document#/components/schemas/{name}"}, registry=registry, format_checker=FORMATS
    )


def faults(schema: str, value: Any) -> list[str]:
    """Where ``value`` is not what the document says."""
    found = validator(schema).iter_errors(value)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in found]


def hold(route: str, answer: Response) -> None:
    """The answer is one the document names for this route."""
    documented = operation(route)["responses"]
    assert str(answer.status) in documented, f"{route} answered {answer.status} {answer.body}"
    described = documented[str(answer.status)]
    media_type = answer.headers["content-type"].split(";")[0]
    assert media_type in described["content"], f"{route} {answer.status} as {media_type}"
    schema = described["content"][media_type]["schema"]["$ref"].rpartition("/")[2]
    wrong = faults(schema, answer.body)
    assert wrong == [], f"{route} {answer.status}: {wrong}"
    json.dumps(answer.body, ensure_ascii=False).encode("utf-8")  # half a surrogate pair would not leave Lambda
    _hold_headers(described, answer)
    if schema == "Problem":
        assert answer.body["code"] in CODES, "docs/api.md does not know it"
        assert answer.body["status"] == answer.status
        assert answer.body["title"] == answer.body["code"]


def _hold_headers(described: dict[str, Any], answer: Response) -> None:
    headers = {name.lower(): resolved(header) for name, header in described.get("headers", {}).items()}
    assert set(answer.headers) <= set(headers) | ALWAYS
    for name, header in headers.items():
        if name not in answer.headers:
            assert not header["required"], f"{name} is missing"
            continue
        value = answer.headers[name]
        kind = header["schema"]
        Draft202012Validator(kind).validate(int(value) if kind["type"] == "integer" else value)


@dataclass
class Held(Service):
    """The service; every HTTP answer of it is held against the document."""

    seen: set[tuple[str, int]] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)

    def call(self, function: str, route: str, body: Any, **request: Any) -> Response:
        """One request; its answer is one the document names."""
        answer = super().call(function, route, body, **request)
        hold(route, answer)
        assert answer.headers["x-correlation-id"]
        self.seen.add((route, answer.status))
        if "code" in answer.body:
            self.codes.add(answer.body["code"])
        return answer

    def print_link(self, invoice_id: str, **request: Any) -> Response:
        """GET /v1/invoices/{id}/print."""
        return self.call("orders", "GET /v1/invoices/{id}/print", None, path={"id": invoice_id}, **request)
