"""Resources: what a pack lets clients read by address, and the decorator that makes one from an async function.

Reading one is a call like any other: authorized, limited, audited, and scoped to what the reader may see.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sixty.errors import PluginError
from sixty.offers import Offer, model_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mcp.shared.uri_template import UriTemplate

    from sixty.offers import Handler, OfferKind
    from sixty.views import View

__all__ = ["About", "Resource", "resource"]

About = Literal["caller", "people"]

_VARIABLE = re.compile(r"\{([A-Za-z_]\w*)\}")
_PLAIN = re.compile(rf"(?:[^{{}}]|{_VARIABLE.pattern})*")


@dataclass(frozen=True, eq=False)
class Resource(Offer):
    """One resource, or a template of many. Make it with `@resource`; its `name` is the address."""

    kind: ClassVar[OfferKind] = "resource"

    label: str = ""
    """What people call it."""
    mime_type: str = "application/json"
    record: str | None = None
    """The variable that is the id of a record: who subscribes is told when that record changes."""
    around: bool = False
    """Whether they are also told when a record that points at it changes, comes or goes."""
    about: About | None = None
    """What else it shows, of which they are told: who the caller is and may do, or who the people are."""

    @cached_property
    def template(self) -> UriTemplate:
        """The address, parsed. `PluginError` for a bad one."""
        from mcp.shared.uri_template import InvalidUriTemplate, UriTemplate  # noqa: PLC0415 - few packs have any

        try:
            return UriTemplate.parse(self.name)
        except InvalidUriTemplate as error:
            msg = f"the address {self.name!r} of a resource is no URI template: {error}"
            raise PluginError(msg) from error

    @cached_property
    def variables(self) -> frozenset[str]:
        """The names of the variables in its address. `PluginError` for a bad one."""
        if _PLAIN.fullmatch(self.name):  # as nearly all are: the SDK's parser takes half a second to import
            return frozenset(_VARIABLE.findall(self.name))
        return frozenset(self.template.variable_names)

    @property
    def is_template(self) -> bool:
        """Whether it stands for many addresses."""
        return bool(self.variables)

    @cached_property
    def wire(self) -> dict[str, Any]:
        """The resource as `resources/list` shows it, or `resources/templates/list` if it is a template."""
        return {
            "uriTemplate" if self.is_template else "uri": self.name,
            "name": self.label,
            "description": self.description,
            "mimeType": self.mime_type,
        }

    def check(self) -> None:
        """Raise `PluginError` unless its address and its arguments have the same names."""
        super().check()
        named = self.variables
        if "://" not in self.name:
            msg = f"the address {self.name!r} of a resource needs a scheme, such as crm://"
            raise PluginError(msg)
        fields = set(self.input_schema.get("properties", ()))
        if fields != named:
            msg = f"the resource {self.name} has the variables {sorted(named)} and the arguments {sorted(fields)}"
            raise PluginError(msg)
        if self.around and self.record is None:
            msg = f"the resource {self.name} watches what is around a record, and does not say which: give record"
            raise PluginError(msg)
        if self.record is not None and self.record not in named:
            msg = f"the resource {self.name} watches the record {self.record!r}, which is none of its variables"
            raise PluginError(msg)

    def match(self, uri: str) -> Mapping[str, Any] | None:
        """The arguments that lead to `uri`, or None if it is not an address of this resource."""
        return self.template.match(uri)


def resource(
    uri: str,
    *,
    name: str,
    permission: str | None,
    mime_type: str = "application/json",
    record: str | None = None,
    around: bool = False,
    about: About | None = None,
    rate: str = "standard",
    needs: tuple[View, ...] = (),
    aggregates: bool = False,
) -> Callable[[Handler], Resource]:
    """A resource made from an async function `(args, call)`, where the fields of `args` are the variables of `uri`.

    Its docstring is the description. A model or a dict that it returns is shown as JSON, a text as it is, bytes as
    they are. `NotFound` says that nothing is at this address for the caller. `record`, `around` and `about` say of
    which changes those are told who subscribe. `needs` and `aggregates` are those of a tool.
    """

    def decorate(function: Handler) -> Resource:
        return Resource(
            name=uri,
            description=cleandoc(function.__doc__ or ""),
            handler=function,
            permission=permission,
            effect="read",
            arguments=model_of(function, f"the resource {uri}"),
            rate=rate,
            label=name,
            mime_type=mime_type,
            record=record,
            around=around,
            about=about,
            needs=needs,
            aggregates=aggregates,
        )

    return decorate
