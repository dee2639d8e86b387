"""Reading the documents and the code they speak of."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MADE = re.compile(r"\.|build$")  # top folders that tools make
FENCE = re.compile(r"^```[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")


def documents() -> dict[str, str]:
    """Every Markdown file of the tree, by its path in it."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and not MADE.match(path.name)]
    paths = sorted([*ROOT.glob("*.md"), *(path for folder in folders for path in folder.rglob("*.md"))])
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def fenced(text: str) -> list[str]:
    """The code blocks of a document."""
    return FENCE.findall(text)


def prose(text: str) -> str:
    """A document without its code blocks."""
    return FENCE.sub("", text)


def code(text: str) -> list[str]:
    """Every line of code in a document, block lines and spans alike."""
    return [line for block in fenced(text) for line in block.splitlines()] + SPAN.findall(prose(text))


def heading_anchors(text: str) -> set[str]:
    """What GitHub lets a link point to."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next of the same or a higher level."""
    level = heading.split(" ", maxsplit=1)[0]
    return re.split(rf"^#{{1,{len(level)}}} ", text.split(f"\n{heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def modules(*folders: str) -> Iterator[ast.Module]:
    """The code below ``folders``, parsed."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield ast.parse(path.read_text(encoding="utf-8"))


def calls(*trees: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Every call in ``trees``, by the last part of the called name."""
    for tree in trees:
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
                    yield name, node


def texts(node: ast.AST) -> set[str]:
    """Every text that stands as such in a piece of code."""
    return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
