"""The template's translation for the emulator: pure, so without one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local import translate
from local.processes import ROOT, LocalRunError
from tests.template.test_routes import ANSWERS_ANYBODY, SIGNATURE_ONLY

PARAMETERS = {
    "Stage": "local",
    "PublicUrl": "http://127.0.0.1:1/a",
    "ClockSource": "http://127.0.0.1:1/c",
    "AllowedPrivateTargets": "http://127.0.0.1:1",
}


@pytest.fixture(scope="module")
def plan():
    """The real template, translated."""
    source = translate.read(ROOT / "template.yaml")
    uris = {artifact.resource: f"s3://b/{artifact.resource}" for artifact in translate.artifacts(source, ROOT)}
    return translate.plan(source, uris, PARAMETERS, "ap-northeast-1")


def of_kind(plan: translate.Plan, kind: str) -> list[dict]:
    """The properties of every resource of a type."""
    return [r["Properties"] for r in plan.template["Resources"].values() if r["Type"] == kind]


def test_every_folder_of_the_template_is_shipped():
    """One artifact per function, and the layer, each an existing folder."""
    found = translate.artifacts(translate.read(ROOT / "template.yaml"), ROOT)
    folders = {artifact.path for artifact in found if not artifact.is_layer}
    assert folders == {path.parent for path in (ROOT / "functions").glob("*/handler.py")}
    assert [artifact.path for artifact in found if artifact.is_layer] == [ROOT / "shared"]


def test_routes_replace_the_document(plan):
    """As many routes as the OpenAPI document has operations, each with an integration of its own."""
    (api,) = of_kind(plan, "AWS::ApiGatewayV2::Api")
    assert "Body" not in api
    routes = of_kind(plan, "AWS::ApiGatewayV2::Route")
    assert len(routes) == len(of_kind(plan, "AWS::ApiGatewayV2::Integration")) > 0
    open_routes = [route["RouteKey"] for route in routes if "AuthorizerId" not in route]
    assert set(open_routes) == ANSWERS_ANYBODY | set(SIGNATURE_ONLY)


def test_the_simulator_may_call_back_over_http(plan):
    """The template asks https of a public address; on loopback there is none."""
    pattern = translate.read(ROOT / "template.yaml")["Parameters"]["PublicUrl"]["AllowedPattern"]
    assert re.fullmatch(pattern, PARAMETERS["PublicUrl"]) is None
    assert "AllowedPattern" not in plan.template["Parameters"]["PublicUrl"]


def test_no_policy_keeps_a_condition_the_emulator_cannot_decide(plan):
    """Such conditions would deny everything there; calls made by DynamoDB on a function's behalf go as a whole."""
    documents = [policy["PolicyDocument"] for role in of_kind(plan, "AWS::IAM::Role") for policy in role["Policies"]]
    documents += [key["KeyPolicy"] for key in of_kind(plan, "AWS::KMS::Key")]
    statements = [statement for document in documents for statement in document["Statement"]]
    assert statements
    assert [s["Sid"] for s in statements if "Condition" in s] == []
    assert "TableEncryption" not in {s["Sid"] for s in statements}


def test_what_is_dropped_in_silence_is_known(plan):
    """Recovery and reserved concurrency are set afterwards."""
    assert list(plan.recovery) == ["Table"]
    assert plan.reserved == {"RecoverFunction": 1, "ConfirmFunction": 1}


def test_a_new_silence_is_noticed(tmp_path: Path):
    """A property that the emulator drops and nobody handles stops the deployment."""
    table = {"Type": "AWS::DynamoDB::Table", "Properties": {"TimeToLiveSpecification": {"Enabled": True}}}
    parameters = {"PublicUrl": {"Type": "String", "AllowedPattern": "^https:"}}
    source = {"Transform": "AWS::Serverless-2016-10-31", "Parameters": parameters, "Resources": {"T": table}}
    with pytest.raises(LocalRunError, match="TimeToLiveSpecification"):
        translate.plan(source, {}, {"PublicUrl": ""}, "ap-northeast-1")
