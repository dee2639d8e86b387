"""What the documents name exists: links, commands, paths."""

from __future__ import annotations

import argparse
import re
import shlex

import pytest

from einvoice_ops.cli import parser
from tests.docs.reading import ROOT, code, documents, fenced, heading_anchors, prose

DOCUMENTS = documents()
LINK = re.compile(r"\]\((?![a-z]+:)([^)\s]+)\)")
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()}
PACKAGES = (ROOT, ROOT / "shared/einvoice", ROOT / "tests/providers")  # a path may start at each, where that is clear
PATH = re.compile(r"(?<![\w./$-])((?:[\w-]+/)+[\w-]*(?:\.[a-z]+)?|[\w-]+\.(?:yaml|toml|md))(?![\w./*<>{}-])")
READMES = ("README.md", "README.zh-TW.md")
MACHINE = re.compile(r"(?<![\w.$}])/(?:home|opt|root|tmp|Users|var|work)/")


@pytest.fixture(scope="module")
def commands():
    """The subcommands of the operator's command, by subject."""

    def choices(one):
        (action,) = (a for a in one._actions if isinstance(a, argparse._SubParsersAction))
        return action.choices

    return {subject: set(choices(one)) for subject, one in choices(parser()).items()}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name):
    """A relative link names a file of the tree, and its anchor a heading of that file."""
    broken = []
    for link in LINK.findall(prose(DOCUMENTS[name])):
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        if not target.exists() or (anchor and anchor not in heading_anchors(target.read_text(encoding="utf-8"))):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_make_target_exists(name):
    """Whatever a reader is told to make can be made."""
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {target for line in code(DOCUMENTS[name]) for target in re.findall(r"\bmake ([a-z][\w-]*)", line)}
    assert named - targets == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_operators_command_exists(name, commands):
    """``ops SUBJECT COMMAND``, or the two words alone in a code span."""
    spoken = "|".join(commands)
    lines = re.compile(rf"(?:\bops |einvoice_ops |^)({spoken}) ([a-z][a-z-]*)")
    named = {found for line in code(DOCUMENTS[name]) for found in lines.findall(line)}
    assert {(subject, command) for subject, command in named if command not in commands[subject]} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_operators_line_is_understood_as_it_stands(name):
    """The lines in code blocks parse, with all their options."""
    for line in (line for block in fenced(DOCUMENTS[name]) for line in block.splitlines()):
        given = re.search(r"(?:^|[|] )ops ([a-z].*)", line)
        if given:
            parser().parse_args(shlex.split(given[1].split(" < ")[0], comments=True))


def test_every_operators_command_is_told_of(commands):
    """A command that no document names is found by nobody."""
    told = " ".join(line for text in DOCUMENTS.values() for line in code(text))
    assert {f"{s} {c}" for s, names in commands.items() for c in names if f"{s} {c}" not in told} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_path_exists(name):
    """Paths in code are those of the tree, or of the package, where a document speaks of the package."""
    named = {path for line in code(DOCUMENTS[name]) for path in PATH.findall(line)}
    ours = {path for path in named if path.split("/")[0] in FOLDERS or path.endswith((".py", ".yaml", ".toml", ".md"))}
    assert {path for path in ours if not any((base / path).exists() for base in PACKAGES)} == set()


def test_the_readmes_show_the_same_commands_and_answers():
    """Two languages, one set of examples."""
    ours, theirs = (fenced(DOCUMENTS[name]) for name in READMES)
    assert ours == theirs


def test_the_index_names_every_document():
    """Nothing in docs/ is found only by listing the folder."""
    index = DOCUMENTS["docs/README.md"]
    pages = {path.name for path in (ROOT / "docs").iterdir() if path.is_file()} - {"README.md"}
    assert {page for page in pages if f"({page})" not in index} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_document_names_a_machine(name):
    """Absolute paths are somebody's own; nobody else has them."""
    assert MACHINE.findall(DOCUMENTS[name]) == []
