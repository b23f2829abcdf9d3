# Copyright (c) ctyun.eci contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Small changes to a syntax tree, each of which a test should notice. Texts, annotations and assertions are left alone."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_SKIPPED_FIELDS = ("annotation", "returns", "decorator_list", "bases")
_SKIPPED_NODES = (ast.JoinedStr, ast.Assert, ast.Import, ast.ImportFrom)


class Change(NamedTuple):
    """A change: where it is, what it is, and what makes it."""

    line: int
    end: int
    text: str
    make: Callable[[], None]


def of(tree: ast.AST) -> Iterator[Change]:
    """Every change of a tree, always in the same order. Make one only, and then take a new tree."""
    for field, value in ast.iter_fields(tree):
        if field in _SKIPPED_FIELDS:
            continue
        nodes = value if isinstance(value, list) else [value]
        for index, node in enumerate(nodes):
            if not isinstance(node, ast.AST) or isinstance(node, _SKIPPED_NODES) or _is_docstring(node):
                continue
            place = _Place(tree, field, index if isinstance(value, list) else None)
            yield from _changes(node, place)
            yield from of(node)


class _Place(NamedTuple):
    parent: ast.AST
    field: str
    at: int | None

    def put(self, node: ast.AST) -> Callable[[], None]:
        def make() -> None:
            if self.at is None:
                setattr(self.parent, self.field, node)
            else:
                getattr(self.parent, self.field)[self.at] = node

        return make


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _changes(node: Any, place: _Place) -> Iterator[Change]:
    def change(text: str, new: ast.AST) -> Change:
        return Change(node.lineno, node.end_lineno, text, place.put(new))

    new: ast.expr
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            ops = [*node.ops[:index], _COMPARISONS[type(operator)](), *node.ops[index + 1 :]]
            new = ast.Compare(node.left, ops, node.comparators)
            yield change(f"{_short(node)} -> {_short(new)}", new)
    elif isinstance(node, ast.BoolOp):
        other = ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield change(f"{_short(node)} -> {_short(other)}", other)
        for index in range(len(node.values)):
            rest = node.values[:index] + node.values[index + 1 :]
            new = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            yield change(f"{_short(node)} without {_short(node.values[index])}", new)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield change(f"{_short(node)} without not", node.operand)
    elif isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS and not _is_a_number(node):
        new = ast.BinOp(node.left, _OPERATORS[type(node.op)](), node.right)
        yield change(f"{_short(node)} -> {_short(new)}", new)
    elif isinstance(node, ast.Constant) and not (_is_a_choice(place) or _is_a_number(place.parent)):
        yield from _constants(node, change)
    elif isinstance(node, (ast.If, ast.While, ast.IfExp)) and isinstance(
        node.test, (ast.Name, ast.Attribute, ast.Call)
    ):
        negated = _Place(node, "test", None).put(ast.UnaryOp(ast.Not(), node.test))
        yield Change(node.test.lineno, node.test.end_lineno or 0, f"if not {_short(node.test)}", negated)
    elif isinstance(node, ast.comprehension):
        for index, test in enumerate(node.ifs):
            always = _Place(node, "ifs", index).put(ast.Constant(True))
            yield Change(test.lineno, test.end_lineno or 0, f"all, not only if {_short(test)}", always)
    elif isinstance(node, ast.Return) and node.value and not _is_as_good_as_none(node.value):
        yield change(f"{_short(node)} -> return None", ast.Return(ast.Constant(None)))
    elif isinstance(node, ast.Break):
        yield change("break -> continue", ast.Continue())
    elif _is_removable(node, place):
        yield change(f"without {_short(node)}", ast.Pass())


def _constants(node: ast.Constant, change: Callable[[str, ast.AST], Change]) -> Iterator[Change]:
    if isinstance(node.value, bool):
        yield change(f"{node.value} -> {not node.value}", ast.Constant(not node.value))
    elif isinstance(node.value, (int, float)):
        yield change(f"{node.value} -> {node.value + 1}", ast.Constant(node.value + 1))


def _is_a_choice(place: _Place) -> bool:
    """Whether a constant is the value of a name at the top: how long or how many, which could as well be another."""
    return isinstance(place.parent, (ast.Assign, ast.Tuple)) and place.field in ("value", "elts")


def _is_a_number(node: ast.AST) -> bool:
    """Whether it is a number written as a product, a sum or so: how long or how many."""
    parts = (node.left, node.right) if isinstance(node, ast.BinOp) else ()
    return bool(parts) and all(isinstance(part, ast.Constant) or _is_a_number(part) for part in parts)


def _is_as_good_as_none(node: ast.AST) -> bool:
    """Whether it is none, or a false, which is turned round."""
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)


def _is_removable(node: ast.AST, place: _Place) -> bool:
    """Whether it is a statement that does something by itself; a name at the top, or a field, is something to have."""
    if isinstance(place.parent, (ast.Module, ast.ClassDef)):
        return False
    return isinstance(node, (ast.Expr, ast.Raise, ast.AugAssign, ast.Assign, ast.Delete, ast.Continue))


def _short(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 100 else text[:97] + "..."
