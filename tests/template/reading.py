"""Small ways to look at the translated template."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Template:
    """The translated template: resources by type, and statements of what a function may do."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.resources: dict[str, dict[str, Any]] = body["Resources"]

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """Properties of all resources of a type, by logical id; never none, so that no test passes over nothing."""
        found = {n: r["Properties"] for n, r in self.resources.items() if r["Type"] == kind}
        assert found, f"the template has no {kind}"
        return found

    def statements(self, role: str) -> list[dict[str, Any]]:
        """All policy statements of a role."""
        policies = self.resources[role]["Properties"]["Policies"]
        return [s for p in policies for s in p["PolicyDocument"]["Statement"]]

    def mappings(self) -> list[tuple[str, str, dict[str, Any]]]:
        """(function, queue, properties) of every queue that feeds a function."""
        made = self.of("AWS::Lambda::EventSourceMapping").values()
        return [(p["FunctionName"]["Ref"], p["EventSourceArn"]["Fn::GetAtt"][0], p) for p in made]

    def routes(self) -> dict[str, dict[str, Any]]:
        """OpenAPI operations of the HTTP API by route key."""
        (api,) = self.of("AWS::ApiGatewayV2::Api").values()
        paths = api["Body"]["paths"].items()
        return {f"{method.upper()} {path}": made for path, item in paths for method, made in item.items()}

    def route_functions(self) -> dict[str, str]:
        """The function behind every route."""
        uris = {k: json.dumps(o["x-amazon-apigateway-integration"]["uri"]) for k, o in self.routes().items()}
        functions = self.of("AWS::Lambda::Function")
        return {k: next(f for f in functions if f"${{{f}.Arn}}" in uri) for k, uri in uris.items()}


def as_list(value: object) -> list[Any]:
    """What a policy may write as one value or as a list, as a list."""
    return value if isinstance(value, list) else [value]
