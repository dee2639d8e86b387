"""Each function may do what it needs, on what it needs, and nothing else."""

from __future__ import annotations

import pytest

from tests.template.reading import as_list

TABLE = {"Fn::GetAtt": ["Table", "Arn"]}
DUE_INDEX = {"Fn::Sub": "${Table.Arn}/index/due"}  # two queues: what recover drives on, what confirm asks about
BOOKS_INDEX = {"Fn::Sub": "${Table.Arn}/index/books"}
KEY = {"Fn::GetAtt": ["Key", "Arn"]}
LOOK_UP = {"dynamodb:GetItem"}
READ = {"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"}
CLAIM = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}  # writes whole heads, behind the fence
WRITE = CLAIM | {"dynamodb:UpdateItem"}  # a void or reissue begins blindly, by a guarded change of an item
TAKE = {"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"}
# role: (actions on the table, first letter of the partition keys, opens merchants' credentials, its queue)
ROLES = {
    "IssueRole": (CLAIM, "M", True, "IssueQueue"),
    "VoidRole": (WRITE, "M", True, "VoidQueue"),
    "ReissueRole": (WRITE, "M", True, "ReissueQueue"),
    "AllowanceRole": (CLAIM, "M", True, "AllowanceQueue"),
    "CorrectionsRole": (CLAIM, "M", True, None),
    "CallbacksRole": (CLAIM, "M", True, None),
    "OrdersRole": (READ, "M", True, None),
    "RecoverRole": (WRITE, "M", True, None),
    "ConfirmRole": (CLAIM, "M", True, None),
    "AuthorizeRole": (LOOK_UP, "K", False, None),
}
SEARCHES = {"RecoverRole": DUE_INDEX, "ConfirmRole": DUE_INDEX, "OrdersRole": BOOKS_INDEX}
# X-Ray has no resources for these two: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
WITHOUT_RESOURCE = {"xray:PutTelemetryRecords", "xray:PutTraceSegments"}


def having(statements, prefix):
    """Statements that allow an action of a service."""
    return [s for s in statements if any(a.startswith(prefix) for a in as_list(s["Action"]))]


def test_every_function_has_a_role_of_its_own(template):
    """No function borrows another's rights, and no role brings a managed policy along."""
    roles = {f: p["Role"] for f, p in template.of("AWS::Lambda::Function").items()}
    assert roles == {f: {"Fn::GetAtt": [f.replace("Function", "Role"), "Arn"]} for f in roles}
    assert set(template.of("AWS::IAM::Role")) == set(ROLES)
    assert not any("ManagedPolicyArns" in role for role in template.of("AWS::IAM::Role").values())


@pytest.mark.parametrize("role", ROLES)
def test_no_wildcard(template, role):
    """No ``*`` in an action, and none as a resource but for actions that know no resource."""
    for statement in template.statements(role):
        assert statement["Effect"] == "Allow"
        actions = set(as_list(statement["Action"]))
        assert not any("*" in action for action in actions)
        for resource in as_list(statement["Resource"]):
            assert "*" not in str(resource) or (resource == "*" and actions <= WITHOUT_RESOURCE), statement


@pytest.mark.parametrize("role", ROLES)
def test_services_a_role_may_call(template, role):
    """Logs, traces, the table and the key; a queue only where the function has one."""
    queue = ROLES[role][3]
    called = {action.split(":")[0] for s in template.statements(role) for action in as_list(s["Action"])}
    assert called == {"logs", "xray", "dynamodb", "kms"} | ({"sqs"} if queue else set())


@pytest.mark.parametrize("role", ROLES)
def test_table_actions_are_exactly_those_needed_on_keys_of_its_kind(template, role):
    """Merchants' data or API keys, never both; the condition also fails when a request names no key at all."""
    actions, letter, _, _ = ROLES[role]
    (items,) = [s for s in having(template.statements(role), "dynamodb:") if s["Resource"] == TABLE]
    assert set(as_list(items["Action"])) == actions
    assert items["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{letter}#*"]},
        "Null": {"dynamodb:LeadingKeys": "false"},
    }


@pytest.mark.parametrize("role", ROLES)
def test_only_listed_roles_search_and_each_only_its_index(template, role):
    """No function can list the table; orders have a partition each, so that a Query of it finds no two of them."""
    searches = [s for s in having(template.statements(role), "dynamodb:") if s["Resource"] != TABLE]
    expected = [("dynamodb:Query", SEARCHES[role])] if role in SEARCHES else []
    assert [(s["Action"], s["Resource"]) for s in searches] == expected


@pytest.mark.parametrize("role", ROLES)
def test_key_is_used_through_dynamodb_or_bound_to_a_credential(template, role):
    """A function that calls no centre opens no credential; nobody decrypts without saying whose it is."""
    opens = ROLES[role][2]
    direct = []
    for statement in having(template.statements(role), "kms:"):
        assert statement["Resource"] == KEY
        keys = {key for test in statement["Condition"].values() for key in test}
        if "kms:ViaService" in keys:
            assert "kms:EncryptionContext:aws:dynamodb:tableName" in keys
        else:
            assert keys == {"kms:EncryptionContext:merchant", "kms:EncryptionContext:credential"}
            direct.append(statement["Action"])
    assert direct == (["kms:Decrypt"] if opens else [])


@pytest.mark.parametrize("role", ROLES)
def test_queue_rights_are_for_its_own_queue(template, role):
    """Taking and deleting from one queue; sending is the producers' right, not ours."""
    queue = ROLES[role][3]
    found = [(set(as_list(s["Action"])), s["Resource"]) for s in having(template.statements(role), "sqs:")]
    assert found == ([(TAKE, {"Fn::GetAtt": [queue, "Arn"]})] if queue else [])


@pytest.mark.parametrize("role", ROLES)
def test_only_lambda_takes_a_role(template, role):
    """Nobody else assumes it."""
    (trust,) = template.of("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")


def test_key_policy_names_no_wildcard_action_or_principal(template):
    """Administering is spelled out, so that it can never come to include decrypting."""
    for statement in template.resources["Key"]["Properties"]["KeyPolicy"]["Statement"]:
        assert not any("*" in action for action in statement["Action"])
        assert ":root" in str(statement["Principal"])
