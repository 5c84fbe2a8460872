"""JSON Schemas for tools: made from pydantic models, small enough for an agent's context; and their errors.

Draft 2020-12. No titles, no `$defs`, and an optional argument keeps its plain type: it is only not required.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, Literal

from sixty.errors import Invalid, PluginError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

__all__ = ["JSON_BOUNDS", "invalid", "schema_of"]

JSON_BOUNDS = {"gt": "exclusiveMinimum", "ge": "minimum", "lt": "exclusiveMaximum", "le": "maximum"}
"""What a field's bounds are called in JSON Schema; pydantic leaves their own names on types that it does not know."""
QUOTED = 80
"""Characters of a value that an error quotes."""


def schema_of(model: type[BaseModel], mode: Literal["validation", "serialization"]) -> dict[str, Any]:
    """The schema of a model's arguments (`validation`) or of its results (`serialization`).

    `PluginError` for a model that contains itself: it has no end without `$defs`.
    """
    schema = model.model_json_schema(mode=mode)
    try:
        plain: dict[str, Any] = _plain(schema, schema.get("$defs", {}))
    except RecursionError:
        msg = f"the model {model.__name__} contains itself; give the tool a plain JSON Schema instead"
        raise PluginError(msg) from None
    plain.pop("$defs", None)
    plain.pop("description", None)  # the tool's own says it
    return plain


def _plain(node: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].removeprefix("#/$defs/")]
        return _plain({**target, **{key: value for key, value in node.items() if key != "$ref"}}, definitions)
    if "anyOf" in node:
        options = [option for option in node["anyOf"] if option != {"type": "null"}]
        if len(options) == 1:
            rest = {key: value for key, value in node.items() if key != "anyOf"}
            return _plain({**options[0], **rest}, definitions)
        node = {**node, "anyOf": options}
    return {
        JSON_BOUNDS.get(key, key): {name: _plain(value, definitions) for name, value in content.items()}
        if key == "properties"
        else _plain(content, definitions)
        for key, content in node.items()
        if not (key == "title" and isinstance(content, str)) and not (key == "default" and content is None)
    }


def invalid(error: ValidationError, known: Iterable[str]) -> Invalid:
    """What pydantic found, as the error that an agent reads: every problem at once, the first one in detail."""
    problems = error.errors(include_url=False)
    described = [_problem(problem, known) for problem in problems[:5]]
    first = problems[0]
    return Invalid(
        "; ".join(described),
        field=_path(first) or None,
        given=_short(first["input"]) if first["type"] != "missing" else None,
        allowed=_allowed(first),
    )


def _path(problem: ErrorDetails) -> str:
    return ".".join(str(part) for part in problem["loc"])


def _allowed(problem: ErrorDetails) -> Any:
    context = problem.get("ctx", {})
    values = {name: value for name, value in context.items() if isinstance(value, int | float | str)}
    return values.get("expected") or values or None


def _problem(problem: ErrorDetails, known: Iterable[str]) -> str:
    path, kind = _path(problem), problem["type"]
    if kind == "extra_forbidden":
        return f"unknown argument {path!r}{nearest(str(problem['loc'][-1]), known)}"
    if kind == "missing":
        return f"the argument {path!r} is missing"
    rule = problem["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    for subject in ("Input should ", "String should ", "List should ", "Tuple should ", "Value should "):
        if rule.startswith(subject):
            rule = "must " + rule.removeprefix(subject)
    for formal, plain in (
        ("a valid string", "text"),
        ("less than or equal to", "at most"),
        ("valid integer", "whole number"),
    ):
        rule = rule.replace(formal, plain)
    rule = rule.replace("greater than or equal to", "at least").replace("a valid number", "a number")
    subject = f"{path} " if path else "the arguments "
    return f"{subject}{rule}, got {_short(problem['input'])!r}"


def _short(value: Any) -> Any:
    """A value as an error quotes it: whole if it is small."""
    if isinstance(value, str):
        return value if len(value) <= QUOTED else value[: QUOTED - 1] + "…"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 10**18:
        return f"a number of {value.bit_length() * 3 // 10} digits"
    if isinstance(value, float):
        return value if isfinite(value) else str(value)
    if value is None or isinstance(value, int):
        return value
    text = repr(value)
    return text if len(text) <= QUOTED else text[: QUOTED - 1] + "…"
