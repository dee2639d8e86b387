"""Schemas of the published contract (JSON Schema 2020-12), made from the models the service itself parses with."""

from __future__ import annotations

import copy
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from einvoice.edge import bodies, correction_bodies
from tools import contract_models as told
from tools.contract_deadlines import Deadlines
from tools.contract_words import FIELDS

Json = dict[str, Any]

REQUESTS: tuple[type[BaseModel], ...] = (
    bodies.IssueBody,
    bodies.VoidBody,
    bodies.ReissueBody,
    correction_bodies.CorrectionBody,
    correction_bodies.AllowanceBody,
    correction_bodies.FactsBody,
    correction_bodies.FilingBody,
)
MESSAGES: tuple[type[BaseModel], ...] = (
    bodies.IssueMessage,
    bodies.VoidMessage,
    bodies.ReissueMessage,
    correction_bodies.AllowanceMessage,
)
ANSWERS: tuple[type[BaseModel], ...] = (
    told.Invoice,
    told.InvoiceWithContent,
    told.Order,
    told.AllowanceWithLines,
    told.Corrected,
    told.CorrectedOrPreview,
    told.Filing,
    Deadlines,
    told.CentreNotice,
    told.CentreAnswer,
    told.PrintLink,
    told.Health,
    told.Problem,
    told.GatewayMessage,
)
#: of these exactly one is given, and null is as if it were not
_ONE_WAY = {
    "RefundBody": ("amount_twd", "lines", "refunded_total_twd"),
    "AllowanceBody": ("amount_twd", "lines", "refunded_total_twd"),
    "AllowanceMessage": ("amount_twd", "lines", "refunded_total_twd"),
    "RefundLineBody": ("quantity", "amount_twd"),
}
_REQUIRED_PARTS = ("lines", "total_twd", "tax_type")  # of a correction: may be left out, may not be removed


class _Untitled(GenerateJsonSchema):
    """Without a title for every field, which would repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ANN401, ARG002 — pydantic's own shape
        """Never."""
        return False


def request_schemas(models: tuple[type[BaseModel], ...], prefix: str) -> dict[str, Json]:
    """The bodies callers send, by name; ``prefix`` is where references point."""
    for part in (bodies.BuyerBody, bodies.CorrectionsBody, correction_bodies.FactsBody):
        part.model_rebuild()  # its instances stand as defaults, and pydantic writes those out
    schemas = _schemas(models, prefix)
    for name, schema in schemas.items():
        for field, described in schema.get("properties", {}).items():
            described["description"] = FIELDS.get(f"{name}.{field}") or FIELDS[field]
            if isinstance(described.get("default"), dict | None):
                described.pop("default", None)  # nothing, or the defaults of the part's own fields
        if name == "CorrectionsBody":
            _only_what_is_given(schema)
        if name in ("VoidMessage", "ReissueMessage", "AllowanceMessage"):
            _naming_an_invoice(schema, name)
        if name in _ONE_WAY:
            schema["oneOf"] = [{"required": [one], "properties": {one: _given()}} for one in _ONE_WAY[name]]
        if name == "CorrectionBody":
            schema["allOf"] = _by_goal()
    return schemas


def answer_schemas(prefix: str) -> dict[str, Json]:
    """What callers are answered, by name."""
    return _schemas(ANSWERS, prefix)


def closed(schema: Any) -> Any:  # noqa: ANN401 — any JSON value
    """The schema with every object closed: for tests, since callers must ignore fields they do not know."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: closed(one) for name, one in schema.items()}
    if isinstance(schema.get("properties"), dict) and schema.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def _schemas(models: tuple[type[BaseModel], ...], prefix: str) -> dict[str, Json]:
    _, made = models_json_schema(
        [(model, "validation") for model in models],
        by_alias=True,
        ref_template=prefix + "{model}",
        schema_generator=_Untitled,
    )
    return copy.deepcopy(made["$defs"])


def _only_what_is_given(schema: Json) -> None:
    """Absent means unchanged and null means removed: no field has a default, and three cannot be removed."""
    for field, described in schema["properties"].items():
        described.pop("default", None)
        if field in _REQUIRED_PARTS:
            (kept,) = [one for one in described.pop("anyOf") if one != {"type": "null"}]
            described.update(kept)


def _given() -> Json:
    return {"not": {"type": "null"}}


def _by_goal() -> list[Json]:
    """A refund says what is given back and, unless it is only asked about, by which id."""
    refund = {"required": ["goal"], "properties": {"goal": {"const": "refund"}}}
    asked = {"required": ["dry_run"], "properties": {"dry_run": {"const": True}}}
    named = {"required": ["refund_id"], "properties": {"refund_id": _given()}}
    return [
        {"if": refund, "then": {"required": ["refund"], "properties": {"refund": _given()}}},
        {"if": refund, "then": {"anyOf": [asked, named]}},
    ]


def _naming_an_invoice(schema: Json, name: str) -> None:
    """A reissue message names the invoice it replaces; a void or allowance message that or the order."""
    given = {"required": ["invoice_id"], "properties": {"invoice_id": {"minLength": 1}}}
    if name == "ReissueMessage":
        schema["required"].append("invoice_id")
        schema["properties"]["invoice_id"]["minLength"] = 1
        return
    schema["anyOf"] = [given, {"required": ["order_id"], "properties": {"order_id": {"minLength": 1}}}]
