"""Create the translated template on the embedded AWS, code and layer as zips, and set what its CloudFormation drops."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from local import translate
from local.processes import LocalRunError

REGION = "ap-northeast-1"
ACCOUNT = "123456789012"
ADMIN = "test"  # key and secret of the emulator's administrator
BUCKET = "einvoice-artifacts"
STACK_NAME = "einvoice-local"
DEPLOY_S = 60.0
NOT_SHIPPED = frozenset({"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"})
EARLIEST = (1980, 1, 1, 0, 0, 0)  # the first instant a zip can name: equal folders make equal zips


def client(service: str, endpoint: str) -> Any:  # noqa: ANN401  # which client depends on a name
    """A client of the embedded AWS, as its administrator."""
    session = boto3.Session(aws_access_key_id=ADMIN, aws_secret_access_key=ADMIN, region_name=REGION)
    config = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=2, read_timeout=65)
    return session.client(service, endpoint_url=endpoint, config=config)  # type: ignore[call-overload]  # names are literals there


def pack(folder: Path, prefix: str = "") -> bytes:
    """``folder`` as a zip, its paths below ``prefix``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not NOT_SHIPPED.intersection(path.parts):
                entry = zipfile.ZipInfo(prefix + path.relative_to(folder).as_posix(), EARLIEST)
                archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def deploy(template: Path, parameters: dict[str, str], endpoint: str) -> dict[str, str]:
    """Create the stack; the physical id of every resource by its logical id.

    Third-party packages are not in the layer: native functions run on the emulator's own interpreter and packages.
    Raises LocalRunError with CloudFormation's reasons.
    """
    source = translate.read(template)
    s3 = client("s3", endpoint)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    uris = {}
    for artifact in translate.artifacts(source, template.parent):
        if not artifact.path.is_dir():
            raise LocalRunError(f"{artifact.resource} ships {artifact.path}, which is not there")
        # A layer's packages stand below python/, where `sam build` puts them.
        body = pack(artifact.path, "python/" if artifact.is_layer else "")
        s3.put_object(Bucket=BUCKET, Key=artifact.resource, Body=body)
        uris[artifact.resource] = f"s3://{BUCKET}/{artifact.resource}"
    plan = translate.plan(source, uris, parameters, REGION)
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=translate.to_json(plan.template))
    physical = _create(f"{endpoint}/{BUCKET}/template.json", parameters, endpoint)
    _set_dropped(plan, physical, endpoint)
    return physical


def _create(template_url: str, parameters: dict[str, str], endpoint: str) -> dict[str, str]:
    cloudformation = client("cloudformation", endpoint)
    cloudformation.create_stack(
        StackName=STACK_NAME,
        TemplateURL=template_url,
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
    )
    until = time.monotonic() + DEPLOY_S
    while (status := _status(cloudformation)) == "CREATE_IN_PROGRESS":
        if time.monotonic() > until:
            raise LocalRunError(f"the stack was not created within {DEPLOY_S} s")
        time.sleep(0.05)
    if status != "CREATE_COMPLETE":
        events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"]
        reasons = [f"{e['LogicalResourceId']}: {why}" for e in events if (why := e.get("ResourceStatusReason"))]
        raise LocalRunError("\n".join([f"the stack is {status}", *reasons]))
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK_NAME)
    return {r["LogicalResourceId"]: r["PhysicalResourceId"] for page in pages for r in page["StackResourceSummaries"]}


def _status(cloudformation: Any) -> str:  # noqa: ANN401  # a client
    status: str = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["StackStatus"]
    return status


def _set_dropped(plan: translate.Plan, physical: dict[str, str], endpoint: str) -> None:
    """Through the services' own interfaces: what a green stack does not have there."""
    dynamodb, functions = client("dynamodb", endpoint), client("lambda", endpoint)
    for name, recovery in plan.recovery.items():
        dynamodb.update_continuous_backups(TableName=physical[name], PointInTimeRecoverySpecification=recovery)
    for name, concurrency in plan.reserved.items():
        functions.put_function_concurrency(FunctionName=physical[name], ReservedConcurrentExecutions=concurrency)
