"""From ``template.yaml`` to what the embedded AWS can create: the translator CloudFormation uses, and a few changes.

Everything that makes a local deployment differ from a real one is in this file and listed in ``docs/local-run.md``.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from local.processes import LocalRunError

Json = dict[str, Any]

SERVERLESS = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
UNSET_CONDITION_KEYS = ("dynamodb:LeadingKeys", "kms:EncryptionContext:")
# What its CloudFormation drops and we set in another way, or have decided to live with (docs/local-run.md); the rest of
# its silences would pass unnoticed.
NOT_HANDLED = {"AWS::DynamoDB::Table": ("TimeToLiveSpecification",), "AWS::Lambda::Function": ("DeadLetterConfig",)}


@dataclass(frozen=True, slots=True)
class Artifact:
    """A folder the template ships: of which resource, where it is, and whether it is a layer."""

    resource: str
    path: Path
    is_layer: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A template ready to be created, and by logical id what must be set afterwards, because it is dropped there."""

    template: Json
    recovery: dict[str, Json] = field(default_factory=dict)  # table -> point-in-time recovery
    reserved: dict[str, int] = field(default_factory=dict)  # function -> reserved concurrency


def read(path: Path) -> Json:
    """The SAM template, its short-form tags as plain values."""
    parsed: Json = yaml_parse(path.read_text("utf-8"))
    return parsed


def artifacts(source: Json, root: Path) -> list[Artifact]:
    """Every folder ``source`` ships, functions and layers."""
    return [
        Artifact(name, root / resource["Properties"][uri], is_layer=uri == "ContentUri")
        for name, resource in source["Resources"].items()
        if (uri := SERVERLESS.get(resource["Type"]))
    ]


def plan(source: Json, uris: dict[str, str], parameters: dict[str, str], region: str) -> Plan:
    """Translate ``source`` with every artifact at its URI, then make it fit the emulator."""
    source = copy.deepcopy(source)
    for name, uri in uris.items():
        resource = source["Resources"][name]
        resource["Properties"][SERVERLESS[resource["Type"]]] = uri
    translator = Translator({}, Parser(), boto_session=boto3.Session(region_name=region))
    result = Plan(translator.translate(source, parameters))
    # A real stage is called back over https only; on this machine's loopback the API speaks plain HTTP.
    result.template["Parameters"]["PublicUrl"].pop("AllowedPattern")
    resources: Json = result.template["Resources"]
    for name, resource in list(resources.items()):
        kind, properties = resource["Type"], resource.get("Properties", {})
        for lost in NOT_HANDLED.get(kind, ()):
            if lost in properties:
                raise LocalRunError(f"{name} has {lost}, which the embedded AWS drops in silence: handle it here")
        if kind == "AWS::ApiGatewayV2::Api":
            resources |= _routes(name, properties)
        for document in _policy_documents(kind, properties):
            _make_evaluable(document)
        if kind == "AWS::DynamoDB::Table" and "PointInTimeRecoverySpecification" in properties:
            result.recovery[name] = properties["PointInTimeRecoverySpecification"]
        if kind == "AWS::Lambda::Function" and "ReservedConcurrentExecutions" in properties:
            result.reserved[name] = properties["ReservedConcurrentExecutions"]
    return result


def to_json(template: Json) -> bytes:
    """The template as CloudFormation reads it."""
    return json.dumps(template, ensure_ascii=False).encode()


# --- permissions ------------------------------------------------------------------------------------------------------


def _policy_documents(kind: str, properties: Json) -> list[Json]:
    if kind == "AWS::KMS::Key":
        return [properties["KeyPolicy"]]
    if kind == "AWS::IAM::Role":
        return [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
    return []


def _make_evaluable(document: Json) -> None:
    """Take out conditions on keys the emulator never sets, under which it denies always; actions and resources stay.

    A statement for calls that DynamoDB makes on a function's behalf goes as a whole: the emulator makes none, and
    without its condition it would let the function call KMS itself.
    """
    document["Statement"] = [
        _without_unset_conditions(statement)
        for statement in document["Statement"]
        if not any("kms:ViaService" in test for test in statement.get("Condition", {}).values())
    ]


def _without_unset_conditions(statement: Json) -> Json:
    tests: Json = statement.get("Condition", {})
    kept = {
        operator: known
        for operator, test in tests.items()
        if (known := {key: value for key, value in test.items() if not key.startswith(UNSET_CONDITION_KEYS)})
    }
    bare = {name: value for name, value in statement.items() if name != "Condition"}
    return bare | ({"Condition": kept} if kept else {})


# --- the HTTP API -----------------------------------------------------------------------------------------------------


def api_id(api: str) -> str:
    """The physical id that the API of this logical id gets, so that its address is known before it is there."""
    return api.lower()


def _routes(api: str, properties: Json) -> Json:
    """The API's OpenAPI document as the resources it stands for, because the emulator ignores the document."""
    body: Json = properties.pop("Body")
    if "x-amazon-apigateway-cors" in body:
        raise LocalRunError("the API has CORS now, which the embedded AWS takes through UpdateApi only: do that here")
    properties |= {"Name": api, "ProtocolType": "HTTP", "Tags": {"ms-custom-id": api_id(api)}}  # a URL that stays
    schemes: Json = body["components"]["securitySchemes"]
    made = {
        _id(api, "Authorizer", name): _authorizer(api, name, scheme["x-amazon-apigateway-authorizer"])
        for name, scheme in schemes.items()
    }
    for path, operations in body["paths"].items():
        for method, operation in operations.items():
            target = _id(api, "Integration", method, path)
            made[target] = _integration(api, operation["x-amazon-apigateway-integration"])
            route: Json = {"RouteKey": f"{method.upper()} {path}", "Target": {"Fn::Sub": f"integrations/${{{target}}}"}}
            for name in (name for wanted in operation.get("security", []) for name in wanted if name in schemes):
                route |= {"AuthorizationType": "CUSTOM", "AuthorizerId": {"Ref": _id(api, "Authorizer", name)}}
            made[_id(api, "Route", method, path)] = _of_api("Route", api, route)
    return made


def _authorizer(api: str, name: str, described: Json) -> Json:
    properties = {
        "Name": name,
        "AuthorizerType": described["type"].upper(),
        "AuthorizerUri": described["authorizerUri"],
        "AuthorizerPayloadFormatVersion": described["authorizerPayloadFormatVersion"],
        "AuthorizerResultTtlInSeconds": described["authorizerResultTtlInSeconds"],
        "EnableSimpleResponses": described["enableSimpleResponses"],
        "IdentitySource": described["identitySource"],
    }
    return _of_api("Authorizer", api, properties)


def _integration(api: str, described: Json) -> Json:
    properties = {
        "IntegrationType": described["type"].upper(),
        "IntegrationUri": described["uri"],
        "IntegrationMethod": described["httpMethod"],
        "PayloadFormatVersion": described["payloadFormatVersion"],
    }
    return _of_api("Integration", api, properties)


def _of_api(kind: str, api: str, properties: Json) -> Json:
    return {"Type": f"AWS::ApiGatewayV2::{kind}", "Properties": {"ApiId": {"Ref": api}, **properties}}


def _id(*parts: str) -> str:
    """A logical id: letters and digits only."""
    return "".join(re.sub(r"[^A-Za-z0-9]", " ", part).title().replace(" ", "") for part in parts)
