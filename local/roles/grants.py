"""What the template allows each function (授權), with the conditions the embedded AWS cannot decide decided here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from local.roles.witness import Call

Json = dict[str, Any]

#: rights that no call of a function's own code ever uses: who uses them, by the statement's id
FOR_OTHERS = {
    "Log": "Lambda writes the function's log with its role",
    "Trace": "Lambda sends the function's trace segments with its role",
    "TakeFromItsQueue": "Lambda takes from the queue with the function's role, and makes no mapping for one without",
    "TableEncryption": "DynamoDB asks the table's key with the rights of who reads (Decrypt) or writes (all three)",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """One action of one statement: ``function`` may do ``action`` on ``resource`` where ``condition`` holds."""

    function: str
    role: str
    sid: str
    action: str
    resource: str
    condition: Mapping[str, Mapping[str, Any]]

    @property
    def for_others(self) -> str:
        """Who uses it in the function's name; empty: the function itself must."""
        return FOR_OTHERS.get(self.sid, "")

    def allows(self, call: Call) -> bool:
        """Whether this is what the call needs."""
        asked = (call.function, call.action, call.resource)
        return asked == (self.function, self.action, self.resource) and holds(self.condition, call.context)


def grants(template: Json) -> list[Grant]:
    """Every action every function's role names, in the template's order. ``template``: the source, tags spelled out."""
    found = []
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            role = _name(resource["Properties"]["Role"])
            policies = template["Resources"][role]["Properties"]["Policies"]
            for statement in (s for policy in policies for s in policy["PolicyDocument"]["Statement"]):
                found += _of_statement(name, role, statement)
    return found


def _of_statement(function: str, role: str, statement: Json) -> list[Grant]:
    actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
    resource, condition = _name(statement["Resource"]), statement.get("Condition", {})
    return [Grant(function, role, statement["Sid"], action, resource, condition) for action in actions]


def _name(value: str | Json) -> str:
    """``Table`` for its ARN, ``Table/index/due`` for an index of it."""
    if isinstance(value, str):
        return value
    if "Fn::GetAtt" in value:
        named = value["Fn::GetAtt"]
        return str(named[0] if isinstance(named, list) else named.partition(".")[0])
    return str(value["Fn::Sub"]).replace("${", "").replace(".Arn}", "")


def unallowed(calls: Iterable[Call], allowed: Iterable[Grant]) -> list[Call]:
    """The calls that no grant covers, conditions included: on AWS these would be refused."""
    own = list(allowed)
    return [call for call in calls if not any(grant.allows(call) for grant in own)]


def holds(condition: Mapping[str, Mapping[str, Any]], context: Mapping[str, list[str]]) -> bool:
    """IAM's conditions, those the template uses; KeyError for any other operator, so that none passes unread.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
    """
    return all(
        _OPERATORS[operator](context.get(key, []), _texts(wanted))
        for operator, tests in condition.items()
        for key, wanted in tests.items()
    )


def _texts(wanted: object) -> list[str]:
    """Values of a test; one that CloudFormation fills in (``!Sub``, ``!Ref``) stands for something no call carries."""
    values = wanted if isinstance(wanted, list) else [wanted]
    return [value for value in values if isinstance(value, str)]


def _like(actual: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(actual, pattern) for pattern in patterns)


_OPERATORS: dict[str, Callable[[list[str], list[str]], bool]] = {
    "ForAllValues:StringLike": lambda actual, wanted: all(_like(one, wanted) for one in actual),
    "StringLike": lambda actual, wanted: any(_like(one, wanted) for one in actual),
    "StringEquals": lambda actual, wanted: any(one in wanted for one in actual),
    "Null": lambda actual, wanted: wanted == [str(not actual).lower()],
}
