"""The project's own files, read once, and the form in which a house rule complains."""

import ast
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRODUCT = ("portal", "loyalty")


@dataclass(frozen=True)
class Source:
    """One Python file: `name` is its path from the root, `tree` its parsed form."""

    name: str
    text: str
    tree: ast.Module

    @classmethod
    def of(cls, text: str, name: str = "portal/deals/operations.py") -> "Source":
        """Return a source made up for trying a rule."""
        return cls(name, text, ast.parse(text))

    @property
    def module(self) -> str:
        """Return the last part of the name without its ending, such as "operations"."""
        return Path(self.name).stem

    @property
    def room(self) -> str:
        """Return the module's name in its slice; for a folder of files, the folder's."""
        parts = Path(self.name).with_suffix("").parts
        return parts[2] if len(parts) > 2 else parts[-1]


@dataclass(frozen=True)
class Breach:
    """A place where a rule is broken."""

    name: str
    line: int
    what: str

    def __str__(self) -> str:
        """Return it as editors understand it."""
        return f"{self.name}:{self.line}: {self.what}"


Rule = Callable[[Source], Iterator[Breach]]


def breach(source: Source, node: ast.AST, what: str) -> Breach:
    """Return the breach at `node` of `source`."""
    return Breach(source.name, getattr(node, "lineno", 1), what)


@functools.cache
def read(name: str) -> Source:
    """Return the source called `name`."""
    text = (ROOT / name).read_text("utf-8")
    return Source(name, text, ast.parse(text, name))


@functools.cache
def files(*folders: str, ending: str = ".py") -> tuple[str, ...]:
    """Return the names of the files below `folders`, in order, without vendored ones."""
    return tuple(
        path.relative_to(ROOT).as_posix()
        for folder in folders
        for path in sorted((ROOT / folder).rglob(f"*{ending}"))
        if "vendor" not in path.parts and "__pycache__" not in path.parts
    )


def sources(*folders: str) -> list[Source]:
    """Return the Python sources below `folders`, and wsgi.py with the product."""
    names = list(files(*folders))
    if folders == PRODUCT and (ROOT / "wsgi.py").exists():
        names.append("wsgi.py")
    return [read(name) for name in names]


def dotted(node: ast.AST) -> str:
    """Return the name that an expression spells, such as "db.session.commit", or ""."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else f"?.{node.attr}"
    return ""
