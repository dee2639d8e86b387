"""The published files: valid, as the code makes them, and about exactly the routes there are."""

from __future__ import annotations

import json
import re

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from einvoice.application import allowances, evidence, plans
from einvoice.application.generations import ALLOWED
from einvoice.application.heads import REPLACED
from einvoice.edge import bodies, correction_bodies, texts
from einvoice.errors import Reason
from einvoice.rules.allocation import RefundCode
from einvoice.rules.correction import Do
from einvoice.rules.correction_causes import Cause as CorrectionCause
from einvoice.store.base import HAD, State
from tests.contract.contract import DOCUMENT, MESSAGES, faults, resolved
from tests.template.reading import ROOT, Template
from tools import contract_examples as example
from tools import contract_guide, translate
from tools.openapi import GUIDE, files

_NEVER_CAME = {allowances.REFUSED, allowances.CANCELLED, allowances.EXPIRED}
OPERATIONS = [
    (f"{method.upper()} {path}", made) for path, item in DOCUMENT["paths"].items() for method, made in item.items()
]
SCHEMAS = DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.name)
def test_checked_in_is_what_the_code_makes(path):
    """`make openapi` was run after the last change of the code."""
    assert path.read_text("utf-8") == files()[path]


def test_document_is_valid_openapi():
    """By the OpenAPI 3.1 specification."""
    validate(DOCUMENT)


def test_queue_schema_is_valid():
    """By JSON Schema 2020-12."""
    Draft202012Validator.check_schema(MESSAGES)


def test_routes_are_those_of_the_template():
    """What is deployed is published, and nothing else; open is what is open there."""
    deployed = Template(translate.translated(ROOT / "template.yaml")).routes()
    assert {route for route, _ in OPERATIONS} == set(deployed)
    guarded = {route for route, made in deployed.items() if made["security"] == [{"ApiKey": []}]}
    assert {route for route, made in OPERATIONS if made["security"]} == guarded


def test_path_parameters_are_documented():
    """Every {name} of a path, and no other."""
    for route, made in OPERATIONS:
        named = {one["name"] for one in map(resolved, made["parameters"]) if one["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", route))


def test_operations_are_told_apart():
    """Generators of clients name their methods after these."""
    names = [made["operationId"] for _, made in OPERATIONS]
    assert len(set(names)) == len(names)


def examples():
    """(where, schema, value) of every example in the document."""
    for route, made in OPERATIONS:
        places = {"request": made["requestBody"]} if "requestBody" in made else {}
        for status, place in (places | made["responses"]).items():
            for media_type, content in place["content"].items():
                schema = content["schema"]["$ref"].rpartition("/")[2]
                for name, given in content["examples"].items():
                    yield pytest.param(schema, given["value"], id=f"{route} {status} {media_type} {name}")


@pytest.mark.parametrize(("schema", "value"), list(examples()))
def test_examples_are_what_they_show(schema, value):
    """Each one fits its schema; a request is one the service can read."""
    assert faults(schema, value) == []
    if schema.endswith("Body"):
        model = getattr(correction_bodies, schema, None) or getattr(bodies, schema)
        bodies.parse(model, json.dumps(value).encode())


def test_every_property_is_explained():
    """By a description of its own or of what it refers to."""
    bare = [
        f"{name}.{field}"
        for name, schema in SCHEMAS.items()
        for field, made in schema.get("properties", {}).items()
        if "description" not in made and not any("$ref" in one for one in (made, *made.get("anyOf", [])))
    ]
    assert bare == []


def test_enums_are_complete():
    """Every state and next step there is."""
    assert set(SCHEMAS["NextAction"]["enum"]) == {reason.value for reason in Reason}
    assert set(SCHEMAS["OrderState"]["enum"]) == {state.value for state in State}
    assert set(SCHEMAS["InvoiceState"]["enum"]) == {state.value for state in State} - {"WANTED"} | {REPLACED, ALLOWED}
    assert set(SCHEMAS["InvoiceState"]["enum"]) <= set(texts.STATES)
    assert set(SCHEMAS["AllowanceState"]["enum"]) == HAD | _NEVER_CAME
    assert set(SCHEMAS["PlanState"]["enum"]) == {plans.OPEN, plans.DONE, plans.STOPPED}
    assert set(SCHEMAS["Goal"]["enum"]) == {plans.CANCEL, plans.REFUND, plans.CORRECT, plans.VOID_ALLOWANCE}
    assert set(SCHEMAS["StepKind"]["enum"]) == {one.value for one in Do}
    assert set(SCHEMAS["Facts"]["properties"]) == set(SCHEMAS["FactsBody"]["properties"]) == set(evidence.FACTS)


def test_guide_has_every_table():
    """A table that is generated stands on the page, and none stands there that nobody fills."""
    assert contract_guide.MARK.findall(GUIDE.read_text("utf-8"))
    named = [found["name"] for found in contract_guide.MARK.finditer(GUIDE.read_text("utf-8"))]
    assert sorted(named) == sorted(contract_guide.TABLES)


def test_guides_requests_are_readable():
    """What a reader copies from the page is what the service takes."""
    page = GUIDE.read_text("utf-8")
    (issue,) = re.findall(r"-d '(\{.*?\})'", page, re.DOTALL)
    reissue, *corrections, facts, allowance = re.findall(r"^\{.*\}$", page, re.MULTILINE)
    assert json.loads(issue) == example.CONSUMER
    bodies.parse(bodies.ReissueBody, reissue.encode())
    goals = {bodies.parse(correction_bodies.CorrectionBody, one.encode()).goal for one in corrections}
    assert goals == {"refund", "cancel", "correct"}
    bodies.parse(correction_bodies.FactsBody, facts.encode())
    bodies.parse(correction_bodies.AllowanceBody, allowance.encode())


def test_every_cause_that_may_stop_or_hold_an_allowance_has_words():
    """The centre's and our own: staff never reads a bare code."""
    ours = {*contract_guide.allowance_causes(), *RefundCode.__members__, *CorrectionCause.__members__}
    assert [cause for cause in sorted(ours) if texts.cause_text({"cause": cause}) == cause] == []


def test_guide_links_lead_somewhere():
    """Files and headings of docs/."""
    for file, heading in re.findall(r"\]\(([\w.-]+)(?:#([^)]+))?\)", GUIDE.read_text("utf-8")):
        text = (GUIDE.parent / file).read_text("utf-8")
        if heading:
            headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings]
