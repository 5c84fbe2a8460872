"""Arguments for tools, made up by hypothesis from a tool's own JSON Schema, and beyond it.

A record cannot be made up: where a schema asks for an id, a `Reference` stands for the n-th record at hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hypothesis.strategies import SearchStrategy

__all__ = ["Reference", "arguments", "junk_arguments", "minimal", "resolved"]

NOBODY = "00000000-0000-7000-8000-000000000000"
"""An id that no record has."""
_WORDS = ("today", "tomorrow", "+3_days", "-2_weeks", "2026-03-31", "2026-03-31T14:00:00+02:00")


@dataclass(frozen=True, slots=True)
class Reference:
    """Stands for the id of the n-th record at hand."""

    position: int


def resolved(value: Any, ids: Sequence[str]) -> Any:
    """The value with each reference turned into an id; without any at hand, into one that no record has."""
    if isinstance(value, Reference):
        return ids[value.position % len(ids)] if ids else NOBODY
    if isinstance(value, dict):
        return {name: resolved(content, ids) for name, content in value.items()}
    if isinstance(value, list):
        return [resolved(item, ids) for item in value]
    return value


def arguments(schema: Mapping[str, Any]) -> SearchStrategy[dict[str, Any]]:
    """Arguments that a JSON Schema of type object allows."""
    return _object(schema)


def junk_arguments(schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    """Arguments that are wrong in one or many ways: of another type, out of range, missing, unknown."""
    names = sorted(schema.get("properties", {})) or ["x"]
    wrong = st.one_of(_junk(), _borders())
    one_wrong = st.tuples(_object(schema), st.sampled_from(names), wrong).map(lambda it: {**it[0], it[1]: it[2]})
    one_missing = st.tuples(_object(schema), st.sampled_from(names)).map(
        lambda it: {name: value for name, value in it[0].items() if name != it[1]}
    )
    one_unknown = st.tuples(_object(schema), st.text(), wrong).map(lambda it: {**it[0], it[1]: it[2]})
    all_wrong = st.dictionaries(st.one_of(st.sampled_from(names), st.text(max_size=20)), wrong, max_size=6)
    return st.one_of(one_wrong, one_missing, one_unknown, all_wrong)


def _junk() -> SearchStrategy[Any]:
    """Any JSON value, and what a careless client makes of one."""
    text = st.text(st.characters(exclude_categories=()), max_size=40)  # lone surrogates and null characters too
    plain = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), text, st.builds(Reference, st.integers(0, 9))
    )
    return st.recursive(
        plain,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3)),
        max_leaves=6,
    )


def _borders() -> SearchStrategy[Any]:
    return st.sampled_from(
        [
            "",
            " ",
            "\x00",
            "\ud800",
            "x" * 256,
            "x" * 10_001,
            "' OR 1=1 --",
            "%",
            "0",
            0,
            -1,
            201,
            2**31,
            2**63,
            2**64,
            10**400,
            1e308,
            1e-9,
            0.005,
            float("nan"),
            float("inf"),
            NOBODY,
            "9999-12-31",
            "0001-01-01",
            "-99999_months",
            "+99999_weeks",
            "9999-12-31T23:59:59.999999-12:00",
            [],
            [[]],
            {},
            {"$ref": "#"},
        ]
    )


def _value(schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(list(schema["enum"]))
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return st.one_of([_value(option) for option in schema[choice]])
    kind = schema.get("type")
    makers = {"object": _object, "array": _array, "string": _string, "integer": _integer, "number": _number}
    if isinstance(kind, str) and kind in makers:
        return makers[kind](schema)
    if kind == "boolean":
        return st.booleans()
    return _junk()


def _object(schema: Mapping[str, Any]) -> SearchStrategy[dict[str, Any]]:
    properties = {name: _value(content) for name, content in schema.get("properties", {}).items()}
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: strategy for name, strategy in properties.items() if name in required},
        optional={name: strategy for name, strategy in properties.items() if name not in required},
    )


def _array(schema: Mapping[str, Any]) -> SearchStrategy[list[Any]]:
    least = schema.get("minItems", 0)
    return st.lists(_value(schema.get("items", {})), min_size=least, max_size=min(schema.get("maxItems", 5), least + 5))


def _string(schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    if schema.get("format") == "uuid":
        return st.builds(Reference, st.integers(0, 9))
    if "pattern" in schema:
        return st.from_regex(schema["pattern"], fullmatch=True)
    least, most = schema.get("minLength", 0), schema.get("maxLength", 200)
    text = st.text(st.characters(exclude_categories=["Cs"]), min_size=least, max_size=min(most, least + 40))
    fitting = [word for word in _WORDS if least <= len(word) <= most]
    return st.one_of(text, st.sampled_from(fitting)) if fitting else text


def _integer(schema: Mapping[str, Any]) -> SearchStrategy[int]:
    least = schema.get("minimum", schema["exclusiveMinimum"] + 1 if "exclusiveMinimum" in schema else None)
    most = schema.get("maximum", schema["exclusiveMaximum"] - 1 if "exclusiveMaximum" in schema else None)
    return st.integers(least, most)


def _number(schema: Mapping[str, Any]) -> SearchStrategy[float]:
    """Numbers with two decimals at the most, which is what money has."""
    least = schema.get("minimum", schema.get("exclusiveMinimum", -10_000_000))
    most = schema.get("maximum", schema.get("exclusiveMaximum", 10_000_000))
    return st.integers(int(least * 100) + ("exclusiveMinimum" in schema), int(most * 100)).map(
        lambda cents: cents / 100
    )


def minimal(schema: Mapping[str, Any], ids: Sequence[str]) -> Any:  # noqa: PLR0911 - one for each type
    """The plainest value that a JSON Schema allows, the same each time; ids are taken from `ids`."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return minimal(schema[choice][0], ids)
    kind = schema.get("type")
    if kind == "object":
        required = schema.get("required", ())
        return {name: minimal(schema["properties"][name], ids) for name in required if name in schema["properties"]}
    if kind == "array":
        return [minimal(schema.get("items", {}), ids) for _ in range(schema.get("minItems", 0))]
    if kind in ("integer", "number"):
        return max(schema.get("minimum", 1), schema.get("exclusiveMinimum", 0) + 1)
    if kind == "boolean":
        return True
    if schema.get("format") == "uuid":
        return resolved(Reference(0), ids)
    return "today".ljust(schema.get("minLength", 0), "y")[: schema.get("maxLength", 200)]
