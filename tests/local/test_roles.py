"""Each role is enough and nothing in it is spare: the short form of ``make roles``, which takes every right away."""

from __future__ import annotations

import pytest

from local.roles import report
from local.roles.__main__ import PAGE
from local.roles.grants import Grant, grants, holds, unallowed
from local.roles.scenarios import SCENARIOS
from local.roles.trial import trial
from local.roles.witness import Call, read

# Together they use every right that a function's code uses.
SHORT = (
    "issued and read",
    "voided",
    "reissued",
    "recovered",
    "cancelled on its way",
    "rotated then issued",
    "rotated then voided",
    "rotated then reissued",
    "rotated then printed",
    "rotated then recovered",
    "allowed and taken back",
    "buyer agreed",
    "corrected",
    "deadlines listed",
    "rotated then allowed",
    "rotated then corrected",
    "rotated then confirmed",
)
# One of every kind, and not the same function twice.
TAKEN_AWAY = {
    ("IssueFunction", "dynamodb:PutItem"),
    ("VoidFunction", "dynamodb:UpdateItem"),
    ("ReissueFunction", "dynamodb:Query"),
    ("CorrectionsFunction", "dynamodb:PutItem"),
    ("CallbacksFunction", "dynamodb:Query"),
    ("OrdersFunction", "kms:Decrypt"),
    ("AuthorizeFunction", "dynamodb:GetItem"),
}
TABLE = {"t-1": "Table"}
SIGNED = {"authorization": "AWS4-HMAC-SHA256 Credential=ASIA1/20260314/ap-northeast-1/dynamodb/aws4_request, …"}
MINE = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["M#*"]}, "Null": {"dynamodb:LeadingKeys": "false"}}


@pytest.mark.embedded
def test_roles_are_enough_and_no_more():
    """No scenario is refused anything; no right is spare, and the page says so; a right taken away is missed."""
    with trial() as tried:
        for name in SHORT:
            tried.watch(name)
        assert tried.wrong == []
        assert tried.spare() == []
        assert PAGE.read_text("utf-8") == report.document(tried, len(SCENARIOS))
        rights = {position: (g.function, g.action) for position, g in enumerate(tried.grants) if not g.for_others}
        taken = [tried.rob(position) for position, right in rights.items() if right in TAKEN_AWAY]
        assert {(robbed.grant.function, robbed.grant.action) for robbed in taken} == TAKEN_AWAY
        assert tried.wrong == []
        assert all(robbed.missed and robbed.ended != "as it must" for robbed in taken)


def test_a_call_is_read_as_iam_reads_it():
    """Action from the signed service and the target, resource by the template's name, leading keys from the item."""
    target = {"x-amz-target": "DynamoDB_20120810.PutItem"}
    body = b'{"TableName": "t-1", "Item": {"pk": {"S": "M#a#O#1"}, "sk": {"S": "H"}}}'
    call = read("F", SIGNED | target, body, TABLE)
    assert call == Call("F", "dynamodb:PutItem", "Table", {"dynamodb:LeadingKeys": ["M#a#O#1"]}, refused=False)
    assert call.concerns(frozenset({"a"}))
    assert not call.concerns(frozenset({"b"}))


def test_a_search_is_read_with_its_partition_or_its_index():
    """A Query of the table names one partition; one of an index names the index."""
    target = {"x-amz-target": "DynamoDB_20120810.Query"}
    bound = b'"KeyConditionExpression": "pk = :p AND x", "ExpressionAttributeValues": {":p": {"S": "M#a"}}'
    body = b'{"TableName": "t-1", ' + bound + b"}"
    assert read("F", SIGNED | target, body, TABLE).context == {"dynamodb:LeadingKeys": ["M#a"]}
    index = read("F", SIGNED | target, b'{"TableName": "t-2", "IndexName": "due"}', TABLE)
    assert (index.resource, index.context) == ("another table/index/due", {})


def test_a_batch_is_read_with_every_partition_it_names():
    """One key of somebody else's among many is one too many."""
    keys = b'[{"pk": {"S": "M#a"}, "sk": {"S": "H"}}, {"pk": {"S": "K#1"}, "sk": {"S": "K"}}]'
    target = {"x-amz-target": "DynamoDB_20120810.BatchGetItem"}
    call = read("F", SIGNED | target, b'{"RequestItems": {"t-1": {"Keys": ' + keys + b"}}}", TABLE)
    assert (call.action, call.resource) == ("dynamodb:BatchGetItem", "Table")
    assert call.context == {"dynamodb:LeadingKeys": ["K#1", "M#a"]}
    assert not holds(MINE, call.context)


@pytest.mark.parametrize(
    ("condition", "context", "held"),
    [
        (MINE, {"dynamodb:LeadingKeys": ["M#a"]}, True),
        (MINE, {"dynamodb:LeadingKeys": ["M#a", "K#1"]}, False),
        (MINE, {}, False),  # a Scan names no key; ForAllValues alone would let it pass
        ({"StringLike": {"kms:EncryptionContext:merchant": "?*"}}, {"kms:EncryptionContext:merchant": ["a"]}, True),
        ({"StringLike": {"kms:EncryptionContext:merchant": "?*"}}, {"kms:EncryptionContext:merchant": [""]}, False),
        ({"StringEquals": {"kms:ViaService": {"Fn::Sub": "dynamodb.x"}}}, {}, False),
    ],
)
def test_conditions_hold_as_iam_decides_them(condition, context, held):
    """Every listed key must be allowed, and one must be there; no call of ours comes through DynamoDB."""
    assert holds(condition, context) is held


def test_an_operator_nobody_decides_is_an_error():
    """A condition that could not be read must never count as one that holds."""
    with pytest.raises(KeyError):
        holds({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, {})


def test_a_call_outside_every_grant_is_found():
    """Another action, another resource, another's partition: each is one too many."""
    grant = Grant("F", "R", "S", "dynamodb:GetItem", "Table", MINE)
    good = Call("F", "dynamodb:GetItem", "Table", {"dynamodb:LeadingKeys": ["M#a"]}, refused=False)
    bad = [
        Call("F", "dynamodb:Scan", "Table", {}, refused=False),
        Call("F", "dynamodb:GetItem", "another table", good.context, refused=False),
        Call("F", "dynamodb:GetItem", "Table", {"dynamodb:LeadingKeys": ["K#1"]}, refused=False),
        Call("G", "dynamodb:GetItem", "Table", good.context, refused=False),
    ]
    assert unallowed([good, *bad], [grant]) == bad


def test_grants_are_every_action_of_every_statement():
    """One per action, named as the template names them."""
    role = {"Properties": {"Policies": [{"PolicyDocument": {"Statement": [
        {"Sid": "A", "Action": ["s:X", "s:Y"], "Resource": {"Fn::Sub": "${Table.Arn}/index/due"}},
        {"Sid": "B", "Action": "s:Z", "Resource": "*", "Condition": MINE},
    ]}}]}, "Type": "AWS::IAM::Role"}  # fmt: skip
    function = {"Type": "AWS::Serverless::Function", "Properties": {"Role": {"Fn::GetAtt": ["R", "Arn"]}}}
    assert grants({"Resources": {"F": function, "R": role}}) == [
        Grant("F", "R", "A", "s:X", "Table/index/due", {}),
        Grant("F", "R", "A", "s:Y", "Table/index/due", {}),
        Grant("F", "R", "B", "s:Z", "*", MINE),
    ]
