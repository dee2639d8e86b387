"""Whatever may call a person has its place in the runbook, and the runbook tells of nothing else."""

from __future__ import annotations

import ast
import re

from tests.docs.reading import calls, documents, modules, section, texts
from tests.template.reading import ROOT
from tools import translate

RUNBOOK = documents()["docs/runbook.md"]
CODE = tuple(modules("shared/einvoice", "functions"))
CAUSE = re.compile(r"[A-Z][A-Z_]+")
OBSERVERS = ("observe", "_observe")
FLAGS = ("flagged", "_flagged")
ROW = re.compile(r"^\| `([A-Z_]+)` \|", re.MULTILINE)


def test_every_alarm_has_its_section():
    """A heading names each alarm of the template by its logical id, and no other."""
    resources = translate.source(ROOT / "template.yaml")["Resources"]
    alarms = {name for name, resource in resources.items() if resource["Type"] == "AWS::CloudWatch::Alarm"}
    told = re.findall(r"^### (.*Alarm)$", section(RUNBOOK, "## Alarms"), re.MULTILINE)
    assert sorted(name for heading in told for name in heading.split(", ")) == sorted(alarms)


CONSTANTS = {
    target.id: texts(node.value)
    for module in CODE
    for node in module.body
    if isinstance(node, ast.Assign)
    for target in node.targets
    if isinstance(target, ast.Name)
}


def named_by(argument: ast.expr) -> set[str]:
    """The texts of the constant an argument names, of this module or another."""
    match argument:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return {text for text in CONSTANTS.get(name, set()) if CAUSE.fullmatch(text)}
    return set()


def flag_causes(module: ast.Module) -> set[str]:
    """Every cause a module flags an order with: named in the call, by a constant, or elsewhere in the same function."""
    found: set[str] = set()
    for function in (node for node in module.body if isinstance(node, ast.FunctionDef)):
        for name, call in calls(function):
            if name not in FLAGS or function.name in FLAGS:  # the two that hand a cause on have it from elsewhere
                continue
            named = {text for arg in call.args for text in texts(arg) if CAUSE.fullmatch(text)}
            for arg in call.args:
                named |= named_by(arg)
            named = named or {text for text in texts(function) if CAUSE.fullmatch(text)}
            assert named, f"{function.name} flags an order; with which cause?"
            found |= named
    return found


def test_every_cause_for_a_person_has_its_row():
    """Each cause an order is flagged with says what a person does."""
    causes = set().union(*map(flag_causes, CODE))
    assert set(ROW.findall(section(RUNBOOK, "## Orders that wait for a person"))) == causes


def test_every_reason_why_a_merchant_cannot_be_used_has_its_row():
    """Each says what to do about it."""
    causes = {text for name, call in calls(*CODE) if name == "MerchantUnusable" for text in texts(call)}
    assert set(ROW.findall(section(RUNBOOK, "### Wrong credentials"))) == causes


def events_of(argument: ast.expr, module: ast.Module) -> set[str]:
    """The event an argument names, or every one of the module's table that it is looked up in."""
    match argument:
        case ast.Subscript(value=ast.Name(id=name)):
            assigned = (node for node in module.body if isinstance(node, ast.Assign))
            (table,) = (node.value for node in assigned if name in map(ast.unparse, node.targets))
            assert isinstance(table, ast.Dict), f"{name} is no table of events"
            return {text for value in table.values for text in texts(value)}
    return texts(argument)


def logged_events(module: ast.Module) -> set[str]:
    """What is handed to ``observe``, or to the logger as an ``event`` of its own."""
    found: set[str] = set()
    for name, call in calls(module):
        if name in OBSERVERS and call.args:
            found |= events_of(call.args[0], module)
        for extra in (keyword.value for keyword in call.keywords if keyword.arg == "extra"):
            pairs = zip(extra.keys, extra.values, strict=True) if isinstance(extra, ast.Dict) else ()
            found |= {t for key, value in pairs if key is not None and texts(key) == {"event"} for t in texts(value)}
    return found


def test_every_log_event_is_listed():
    """Whoever searches the logs knows what there is to search for."""
    paragraph = RUNBOOK.split("\nEvents: ", 1)[1].split("\n\n", 1)[0]
    told = re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)", "", paragraph))
    assert sorted(told) == sorted(set().union(*map(logged_events, CODE)))
