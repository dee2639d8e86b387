"""The tables of docs/api.md, read from the code (錯誤代碼表): what is raised there is listed here, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from einvoice.edge import bodies, texts
from einvoice.errors import Reason
from einvoice.providers.ecpay import errors as ecpay
from einvoice.providers.ecpay.operations import Operation
from einvoice.rules.allocation import RefundCode
from einvoice.rules.correction_causes import Cause as CorrectionCause
from einvoice.rules.reissue import Cause
from tools.contract_operations import OPERATIONS

PACKAGE = Path(__file__).resolve().parents[1] / "shared" / "einvoice"
MARK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


@dataclass(frozen=True, order=True)
class Problem:
    """One code of a problem document, as the source raises it."""

    code: str
    status: int
    next_action: str
    sentence: str


def filled_in(page: str) -> str:
    """The page with every generated table as the code has it now. KeyError for a mark nobody fills."""
    return MARK.sub(lambda found: found[1] + "\n" + TABLES[found["name"]]() + "\n" + found[3], page)


def problems() -> list[Problem]:
    """Every problem that the application and the edge raise with a code of their own."""
    found = set()
    for module, call in _calls("application/*.py", "edge/http.py"):
        match ast.unparse(call.func), call.args:
            case "Conflict", [reason, ast.Constant(value=str(code)), message, *_]:
                found.add(Problem(code, _status(call), _reason(reason), _sentence(module, message)))
            case "Conflict", [reason, ast.Name(id=name), message, *_] if (code := _constant(module, name)):
                found.add(Problem(code, _status(call), _reason(reason), _sentence(module, message)))
            case "Conflict", [reason, ast.IfExp(body=one, orelse=other), message, *_]:
                found |= {
                    Problem(str(ast.literal_eval(code)), _status(call), _reason(reason), _sentence(module, message))
                    for code in (one, other)
                }
            case "problem", [ast.Constant(value=int(status)), ast.Constant(value=str(code)), message, reason]:
                found.add(Problem(code, status, _reason(reason), _sentence(module, message)))
            case _:
                continue
    return sorted(found | {Problem("INVALID_REQUEST", s, Reason.FIX_REQUEST.value, "`violations`") for s in (413, 422)})


def centre_causes() -> dict[str, set[str]]:
    """The next step by cause, for everything the centre's answers can mean to a caller."""
    causes = {"UNMAPPED_CODE": {Reason.ASK_A_PERSON.value}}  # any other code of theirs, where nothing was to be changed
    for entry in (*ecpay.RTN_CODES, *ecpay.TRANS_CODES):
        if not entry.unknown and any(operation.writes for operation in entry.operations):
            causes.setdefault(entry.cause, set()).add(entry.reason.value)
    return dict(sorted(causes.items()))


def allowance_causes() -> set[str]:
    """What a centre's refusal of an allowance, or of its void, can mean."""
    asked = {Operation.ALLOW, Operation.ASK_ALLOWANCE, Operation.VOID_ALLOWANCE, Operation.CANCEL_ASKED_ALLOWANCE}
    return {entry.cause for entry in ecpay.RTN_CODES if asked & set(entry.operations)}


def merchant_causes() -> list[str]:
    """What may be wrong with a merchant's settings."""
    found = {
        constant.value
        for _, call in _calls("**/*.py")
        if ast.unparse(call.func) == "MerchantUnusable"
        for argument in call.args
        for constant in ast.walk(argument)
        if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
    }
    return sorted(found)


def _calls(*patterns: str) -> Iterator[tuple[ast.Module, ast.Call]]:
    for pattern in patterns:
        for path in sorted(PACKAGE.glob(pattern)):
            module = ast.parse(path.read_text("utf-8"))
            for node in ast.walk(module):
                if isinstance(node, ast.Call):
                    yield module, node


def _constant(module: ast.Module, name: str) -> str:
    """The text of a module's constant; empty if it has none of this name."""
    for node in module.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.Constant(value=str(text))) if found == name:
                return text
    return ""


def _status(call: ast.Call) -> int:
    given = {keyword.arg: keyword.value for keyword in call.keywords}.get("status")
    return int(ast.literal_eval(given)) if given else 409


def _reason(node: ast.expr) -> str:
    return Reason[ast.unparse(node).removeprefix("Reason.")].value


def _sentence(module: ast.Module, node: ast.expr) -> str:
    """A literal sentence, also by way of a variable assigned just before; what is filled in stands as ``…``."""
    if isinstance(node, ast.Name):
        assigned = [
            one for one in ast.walk(module)
            if isinstance(one, ast.Assign) and one.lineno < node.lineno and ast.unparse(one.targets[0]) == node.id
        ]
        node = max(assigned, key=lambda one: one.lineno).value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
    return str(ast.literal_eval(node))


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _operations() -> str:
    rows = [(f"`{one.route}`", one.summary, f"`{one.scope}`" if one.scope else "none") for one in OPERATIONS]
    return _table(("Route", "What", "Scope"), rows)


def _next_actions() -> str:
    return _table(
        ("`next_action`", "of an invoice", "of a problem"),
        [(f"`{one.value}`", texts.NEXT_STEPS[one.value], texts.PROBLEM_STEPS[one.value]) for one in Reason],
    )


def _problems() -> str:
    rows = [(f"`{one.code}`", str(one.status), f"`{one.next_action}`", one.sentence) for one in problems()]
    return _table(("Code", "Status", "Next", "Meaning"), rows)


def _reissue_causes() -> str:
    return ", ".join(f"`{cause.name}`" for cause in Cause) + ".\n"


def _correction_causes() -> str:
    return ", ".join(f"`{cause.name}`" for cause in CorrectionCause) + ".\n"


def _refund_violations() -> str:
    rows = [(f"`{code.name}`", re.sub(r"{\w+[^}]*}", "…", code.value)) for code in RefundCode]
    return _table(("Violation", "Meaning"), rows)


def _centre_causes() -> str:
    rows = [(f"`{cause}`", ", ".join(f"`{one}`" for one in sorted(next_))) for cause, next_ in centre_causes().items()]
    return _table(("Code", "Next"), rows)


def _merchant_causes() -> str:
    return ", ".join(f"`{cause}`" for cause in merchant_causes()) + ".\n"


def _violations() -> str:
    return _table(("Violation", "Meaning"), [(f"`{code}`", words) for code, words in bodies._SENTENCES.items()])  # noqa: SLF001 — the one table of reading violations; nothing else may read it


TABLES: dict[str, Callable[[], str]] = {
    "operations": _operations,
    "next-actions": _next_actions,
    "problems": _problems,
    "reissue-causes": _reissue_causes,
    "correction-causes": _correction_causes,
    "refund-violations": _refund_violations,
    "centre-causes": _centre_causes,
    "merchant-causes": _merchant_causes,
    "violations": _violations,
}
