"""The rules of the house that a reader of one Python file can judge."""

import ast
import re
from collections.abc import Iterator

from tests.house.source import Breach, Source, breach, dotted

MAX_LINES = 400

# Imports inside functions, each with its reason.
LATE_IMPORTS = {
    "tests/making.py": "most tests need no application, which takes a second to import",
    "portal/foundation/pdf.py": "WeasyPrint takes a second to load and only documents need it",
}

# Where the request may be known: the pages and the machinery that serves them.
KNOWS_HTTP = {"views", "api", "wing", "lists", "forms"}
FLASK_HTTP = {
    "request", "g", "session", "abort", "redirect", "url_for", "flash", "make_response",
    "jsonify", "render_template", "Response", "send_file",
}  # fmt: skip
# Mails and documents are drawn from templates too; drawing knows no request.
MAY_DRAW = {"mails": {"render_template"}, "documents": {"render_template"}}

SQL_START = re.compile(
    r"^\s*(select\b.+\bfrom\b|insert\s+into\b|update\s+\S+\s+set\b|delete\s+from\b|with\s+\w+\s+as\b)",
    re.IGNORECASE | re.DOTALL,
)


def own_commit(source: Source) -> Iterator[Breach]:
    """Only the foundation's transaction() commits or rolls back."""
    if source.name == "portal/foundation/database.py":
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            bare_begin = node.func.attr == "begin" and not node.args
            if bare_begin or node.func.attr in {"commit", "rollback"}:
                yield breach(source, node, f"{dotted(node.func)}(): use transaction()")


def own_clock(source: Source) -> Iterator[Breach]:
    """Only the foundation's clock asks the machine for the time."""
    if source.name == "portal/foundation/clock.py":
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        if re.search(r"(^|\.)(datetime|date)\.(now|utcnow|today)$", name) or name == "time.time":
            yield breach(source, node, f"{name}(): use clock.now() or clock.today()")
        if name in {
            "func.now",
            "sa.func.now",
            "func.current_timestamp",
            "sa.func.current_timestamp",
        }:
            yield breach(source, node, f"{name}(): use clock.now()")


def no_http_below_views(source: Source) -> Iterator[Breach]:
    """Nothing below views knows HTTP."""
    if source.name.startswith("portal/foundation/") or source.name == "wsgi.py":
        return
    if source.room in KNOWS_HTTP:
        return
    allowed = MAY_DRAW.get(source.room, set())
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module in {"flask", "flask_login"}:
            for name in node.names:
                if node.module == "flask_login" or name.name in FLASK_HTTP - allowed:
                    yield breach(source, node, f"{name.name} of {node.module} below views")
        if isinstance(node, ast.Import):
            for name in node.names:
                if name.name == "flask":
                    yield breach(source, node, "import what is needed from flask by name")


def empty_init(source: Source) -> Iterator[Breach]:
    """An __init__.py holds one docstring and no code."""
    if source.module != "__init__":
        return
    if not ast.get_docstring(source.tree) or len(source.tree.body) != 1:
        yield Breach(source.name, 1, "a docstring and nothing else belongs here")


def short_file(source: Source) -> Iterator[Breach]:
    """Past 400 lines a file becomes a folder of the same name."""
    lines = source.text.count("\n") + 1
    if lines > MAX_LINES + 1:
        yield Breach(source.name, lines, f"{lines} lines; make it a folder of files")


def imports_on_top(source: Source) -> Iterator[Breach]:
    """Imports stand at the top of the file."""
    if source.name in LATE_IMPORTS:
        return
    for function in ast.walk(source.tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(function):
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    yield breach(source, node, f"import inside {function.name}()")


def docstrings(source: Source) -> Iterator[Breach]:
    """Every public function, class and method says what it is."""
    if not ast.get_docstring(source.tree):
        yield Breach(source.name, 1, "the file has no docstring")
    waiting: list[ast.AST] = [source.tree]
    while waiting:
        for node in ast.iter_child_nodes(waiting.pop()):
            if not isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if node.name.startswith("_") or _is_overload(node):
                continue
            if isinstance(node, ast.ClassDef):
                waiting.append(node)
            if not ast.get_docstring(node):
                yield breach(source, node, f"{node.name} has no docstring")


def _is_overload(node: ast.AST) -> bool:
    names = {dotted(mark) for mark in getattr(node, "decorator_list", [])}
    return bool(names & {"overload", "typing.overload", "property.setter"}) or any(
        name.endswith(".setter") for name in names
    )


def no_spliced_sql(source: Source) -> Iterator[Breach]:
    """SQL is never put together from text; values and names go through SQLAlchemy."""
    for node in ast.walk(source.tree):
        if SQL_START.match(_spliced_text(node)):
            yield breach(source, node, "SQL put together from text")


def _spliced_text(node: ast.AST) -> str:
    """Return the beginning of a text that an expression puts together from parts, else ""."""
    if isinstance(node, ast.JoinedStr):
        if not any(isinstance(part, ast.FormattedValue) for part in node.values):
            return ""
        return "".join(_constant(part) or " x " for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mod, ast.Add)):
        return "" if isinstance(node.right, ast.Constant) else _constant(node.left)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _constant(node.func.value) if node.func.attr == "format" else ""
    return ""


def _constant(node: ast.AST) -> str:
    value = node.value if isinstance(node, ast.Constant) else ""
    return value if isinstance(value, str) else ""


def no_sleep(source: Source) -> Iterator[Breach]:
    """Tests wait for what they expect, never for a while."""
    if source.name == "tests/waiting.py":
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and dotted(node.func) in {"time.sleep", "sleep"}:
            yield breach(source, node, "sleep: use tests.waiting.wait_until")
        if isinstance(node, ast.Call) and dotted(node.func).endswith(".wait_for_timeout"):
            yield breach(source, node, "wait_for_timeout: wait for what should appear")


def actor_first(source: Source) -> Iterator[Breach]:
    """An operation that records or announces what was done takes the actor first."""
    if source.room != "operations" or source.name.startswith("portal/foundation/"):
        return
    for node in source.tree.body:
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        calls = {dotted(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)}
        if not calls & {"record", "audit.record", "announce", "facts.announce"}:
            continue
        names = [argument.arg for argument in node.args.args]
        if names[:1] != ["actor"]:
            yield breach(source, node, f"{node.name}: the actor comes first")


def explained_exceptions(source: Source) -> Iterator[Breach]:
    """An exception from a lint rule or a type names the rule."""
    for number, line in enumerate(source.text.splitlines(), 1):
        comment = line.partition("#")[2]
        if re.search(r"\bnoqa\b(?!:)", comment) or re.search(r"\btype: ignore(?!\[)", comment):
            yield Breach(source.name, number, "name the rule that this line is excepted from")
