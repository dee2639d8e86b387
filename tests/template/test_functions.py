"""How the functions run, and what stands in their environment."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.template.reading import ROOT
from tools import translate

LOCAL_ONLY = {"CLOCK_SOURCE": "ClockSource", "ALLOWED_PRIVATE_TARGETS": "AllowedPrivateTargets"}
VARIABLES = {
    "TABLE_NAME",
    "KMS_KEY_ID",
    "STAGE",
    "PUBLIC_URL",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
    *LOCAL_ONLY,
}
# KMS_KEY_ID names a key, it is none.
SECRET_NAME = re.compile(r"secret|password|passwd|token|credential|api_?key|hash_?(key|iv)|private_?key", re.IGNORECASE)


def test_every_function_runs_on_arm_and_python_3_13_with_the_layer(template):
    """One runtime, one architecture, one layer: what was tested is what runs."""
    layers = list(template.of("AWS::Lambda::LayerVersion"))
    for name, function in template.of("AWS::Lambda::Function").items():
        assert function["Runtime"] == "python3.13", name
        assert function["Architectures"] == ["arm64"], name
        assert function["Handler"] == "handler.handler", name
        assert function["Layers"] == [{"Ref": layers[0]}], name
        assert function["TracingConfig"] == {"Mode": "Active"}, name
        assert 256 <= function["MemorySize"] <= 512, name
    (layer,) = template.of("AWS::Lambda::LayerVersion").values()
    assert layer["CompatibleRuntimes"] == ["python3.13"]
    assert layer["CompatibleArchitectures"] == ["arm64"]


def test_every_function_is_a_folder_of_its_own():
    """``functions/<name>/`` holds the code of ``<Name>Function`` and nothing else; the layer is ``shared/``."""
    resources = translate.source(ROOT / "template.yaml")["Resources"]
    functions = {n: r["Properties"] for n, r in resources.items() if r["Type"] == "AWS::Serverless::Function"}
    assert {n: p["CodeUri"] for n, p in functions.items()} == {
        n: f"functions/{n.removesuffix('Function').lower()}/" for n in functions
    }
    assert resources["SharedLayer"]["Properties"]["ContentUri"] == "shared/"
    assert resources["SharedLayer"]["Metadata"] == {"BuildMethod": "python3.13", "BuildArchitecture": "arm64"}


def test_environment_is_the_agreed_one(template):
    """Every function gets the same few variables, by name."""
    for name, function in template.of("AWS::Lambda::Function").items():
        assert set(function["Environment"]["Variables"]) == VARIABLES, name


def test_no_variable_or_parameter_looks_like_a_secret(template):
    """Credentials live sealed in the table: never in an environment, a template or a parameter."""
    for function in template.of("AWS::Lambda::Function").values():
        for name, value in function["Environment"]["Variables"].items():
            assert not SECRET_NAME.search(name), name
            assert isinstance(value, dict) or value == "EInvoice", f"{name} holds a literal"
    parameters = template.body["Parameters"]
    assert [p for p in parameters if SECRET_NAME.search(p) and p != "AuthorizerCacheSeconds"] == []


def test_local_only_parameters_are_empty_by_default(template):
    """A real stage uses the machine's clock and the centre's real addresses."""
    for variable, parameter in LOCAL_ONLY.items():
        assert template.body["Parameters"][parameter]["Default"] == ""
        for function in template.of("AWS::Lambda::Function").values():
            assert function["Environment"]["Variables"][variable] == {"Ref": parameter}


@pytest.mark.parametrize(
    ("url", "taken"),
    [
        ("", True),
        ("https://abc123.execute-api.ap-northeast-1.amazonaws.com", True),
        ("https://invoice.example.com/einvoice", True),
        ("http://invoice.example.com", False),
        ("https://invoice.example.com/", False),  # the path of a callback begins with one
        ("https://user@invoice.example.com", False),
        ("https://invoice.example.com?a=b", False),
    ],
)
def test_the_public_url_is_https_or_none(template, url, taken):
    """What a centre is given to call back is encrypted on its way, and a path can be put behind it."""
    parameter = template.body["Parameters"]["PublicUrl"]
    assert parameter["Default"] == ""
    assert (re.fullmatch(parameter["AllowedPattern"], url) is not None) is taken
    for function in template.of("AWS::Lambda::Function").values():
        assert function["Environment"]["Variables"]["PUBLIC_URL"] == {"Ref": "PublicUrl"}


def test_cloudformation_refuses_local_only_parameters_on_a_real_stage(template):
    """Given by mistake to a real stage, they stop the deployment before it begins."""
    (rule,) = template.body["Rules"].values()
    assert rule["RuleCondition"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "Stage"}, "local"]}]}
    asserted = [a["Assert"] for a in rule["Assertions"]]
    assert asserted == [{"Fn::Equals": [{"Ref": p}, ""]} for p in LOCAL_ONLY.values()]
    assert template.body["Parameters"]["Stage"]["Default"] != "local"


def test_no_configured_stage_sets_a_local_only_parameter():
    """samconfig.toml deploys real stages only."""
    config = tomllib.loads((ROOT / "samconfig.toml").read_text("utf-8"))
    stages = {name: part["deploy"]["parameters"] for name, part in config.items() if isinstance(part, dict)}
    assert set(stages) == {"dev", "prod"}
    for name, parameters in stages.items():
        given = dict(p.split("=", 1) for p in parameters["parameter_overrides"])
        assert given["Stage"] == name
        assert not {"ClockSource", "AllowedPrivateTargets"} & set(given)


SCHEDULED = {"RecoverFunction": ("rate(1 minute)", 60), "ConfirmFunction": ("rate(5 minutes)", 240)}


@pytest.mark.parametrize("function", SCHEDULED)
def test_what_runs_on_a_schedule_runs_alone_and_is_its_own_retry(template, function):
    """The next time is its retry; two at a time would only meet each other's fences."""
    schedule, timeout = SCHEDULED[function]
    (rule,) = [r for r in template.of("AWS::Events::Rule").values() if function in str(r["Targets"])]
    assert rule["ScheduleExpression"] == schedule
    assert rule.get("State", "ENABLED") == "ENABLED"
    (target,) = rule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": [function, "Arn"]}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0
    described = template.of("AWS::Lambda::Function")[function]
    assert described["Timeout"] == timeout
    assert described["ReservedConcurrentExecutions"] == 1
    invoked = template.of("AWS::Lambda::EventInvokeConfig").values()
    (mine,) = [i for i in invoked if i["FunctionName"] == {"Ref": function}]
    assert (mine["MaximumRetryAttempts"], mine["MaximumEventAgeInSeconds"]) == (0, 60)


def test_nothing_else_runs_on_a_schedule(template):
    """A new schedule comes with the same promises."""
    assert len(template.of("AWS::Events::Rule")) == len(SCHEDULED)
