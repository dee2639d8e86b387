"""What stands on the embedded AWS after a deployment, where a green stack proves little."""

from __future__ import annotations

import json

import boto3
import pytest
from botocore.exceptions import ClientError

from local import deploy, orders
from local.stack import QUEUES, Stack
from tests.template.test_routes import ANSWERS_ANYBODY, ROUTES, SIGNATURE_ONLY

pytestmark = pytest.mark.embedded

SCHEDULED = {"RecoverFunction": "rate(1 minute)", "ConfirmFunction": "rate(5 minutes)"}


def test_every_route_but_the_open_ones_asks_the_authorizer(stack: Stack):
    """The routes of the OpenAPI document are there, each behind the authorizer but those that are open on purpose."""
    routes = stack.client("apigatewayv2").get_routes(ApiId=stack.physical["Api"])["Items"]
    kinds = {route["RouteKey"]: route["AuthorizationType"] for route in routes}
    assert set(kinds) == set(ROUTES)
    assert {route for route, kind in kinds.items() if kind == "NONE"} == ANSWERS_ANYBODY | set(SIGNATURE_ONLY)
    assert set(kinds.values()) == {"CUSTOM", "NONE"}


def test_what_cloudformation_drops_is_set_again(stack: Stack):
    """Point-in-time recovery and reserved concurrency are in force."""
    backups = stack.client("dynamodb").describe_continuous_backups(TableName=stack.physical["Table"])
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    for function in SCHEDULED:
        reserved = stack.client("lambda").get_function_concurrency(FunctionName=stack.physical[function])
        assert reserved["ReservedConcurrentExecutions"] == 1


def test_queues_and_schedules_are_connected(stack: Stack):
    """Every queue feeds its function message by message; recover is called every minute, confirm every five."""
    mappings = stack.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert len(mappings) == len(QUEUES)
    assert {(m["State"], *m["FunctionResponseTypes"]) for m in mappings} == {("Enabled", "ReportBatchItemFailures")}
    events = stack.client("events")
    for function, every in SCHEDULED.items():
        (rule,) = events.list_rule_names_by_target(TargetArn=_arn(stack, function))["RuleNames"]
        described = events.describe_rule(Name=rule)
        assert (described["State"], described["ScheduleExpression"]) == ("ENABLED", every)


def test_nobodys_credentials_open_nothing(stack: Stack):
    """A caller the account does not know is refused: there is no open door beside the API."""
    stranger = boto3.client(
        "dynamodb",
        endpoint_url=stack.endpoint,
        region_name=deploy.REGION,
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="invented",
    )
    with pytest.raises(ClientError) as refused:
        stranger.describe_table(TableName=stack.physical["Table"])
    assert refused.value.response["Error"]["Code"] == "UnrecognizedClientException"


def test_a_function_may_do_what_its_role_allows_and_no_more(stack: Stack):
    """Without its policy issue reaches nothing, with it everything it needs: so the template's policy is enough."""
    iam, role = stack.client("iam"), stack.physical["IssueRole"]
    policy = iam.get_role_policy(RoleName=role, PolicyName="issue")["PolicyDocument"]
    iam.delete_role_policy(RoleName=role, PolicyName="issue")
    try:
        refused = stack.request("POST", "/v1/invoices", orders.donation("p-1"))
    finally:
        iam.put_role_policy(RoleName=role, PolicyName="issue", PolicyDocument=json.dumps(policy))
    assert refused.status == 503
    assert stack.request("POST", "/v1/invoices", orders.donation("p-1")).status == 201


def _arn(stack: Stack, function: str) -> str:
    described = stack.client("lambda").get_function_configuration(FunctionName=stack.physical[function])
    return described["FunctionArn"]
