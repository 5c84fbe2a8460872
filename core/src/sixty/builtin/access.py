"""Why somebody may or may not call a tool or touch a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sixty.context import Call
from sixty.errors import Forbidden, NotFound, nearest
from sixty.permissions import reaches
from sixty.tools import tool
from sixty.values import Arguments, RecordId, Result, Text

if TYPE_CHECKING:
    from sixty.directory import Principal

__all__ = ["explain_access"]


class ExplainAccess(Arguments):
    user_id: RecordId | None = None
    tool: Text | None = None
    record_id: RecordId | None = None


class AccessExplained(Result):
    allowed: bool
    because: list[str]


@tool("explain_access", permission=None, effect="read")
async def explain_access(args: ExplainAccess, call: Call) -> AccessExplained:
    """Say why a user (by default you) may or may not call a tool, or read and change a record."""
    whom = _whom(args, call)
    verdicts: list[bool] = []
    because = [f"{whom.name} has the role {whom.role}" + ("" if whom.team_id else " and no team")]
    because.append(f"grants: {', '.join(sorted({str(grant) for grant in whom.grants})) or 'none'}")
    if args.tool is not None:
        verdicts.append(_explain_tool(call, whom, args.tool, because))
    if args.record_id is not None:
        verdicts.append(await _explain_record(call, whom, args.record_id, because))
    allowed = all(verdicts)
    what = " and ".join(filter(None, [args.tool and f"call {args.tool}", args.record_id and "read this record"]))
    message = f"{whom.name} may{'' if allowed else ' not'} {what}" if what else f"This is what {whom.name} may do"
    return AccessExplained(message=message, allowed=allowed, because=because)


def _whom(args: ExplainAccess, call: Call) -> Principal:
    me = call.principal
    if args.user_id is None or args.user_id == me.user_id:
        return me
    if not me.may("access:explain"):
        msg = "you may ask about yourself only; an admin may ask about others"
        raise Forbidden(msg, permission="access:explain")
    principal = call.directory.principal(args.user_id)
    if principal is None:
        msg = f"there is no active user {args.user_id}"
        raise NotFound(msg, id=args.user_id)
    return principal


def _explain_tool(call: Call, whom: Principal, name: str, because: list[str]) -> bool:
    found = call.registry.tools.get(name)
    if found is None:
        because.append(f"there is no tool {name}{nearest(name, call.registry.tools)}")
        return False
    if found.permission is None:
        because.append(f"{name} is for everybody, and asks for the permissions of what it touches")
        return True
    scope = whom.scope(found.permission)
    because.append(f"{name} needs {found.permission}; {whom.name} holds it with the scope {scope.widest}")
    return bool(scope)


async def _explain_record(call: Call, whom: Principal, record_id: str, because: list[str]) -> bool:
    located = await call.records.locate(record_id)
    if located is None:
        because.append(f"there is no record {record_id} that you can see")
        return False
    kind, row = located
    owner = row["owner_id"]
    because.append(f"the {kind.name} belongs to {call.directory.name_of(owner) or 'nobody'}")
    actions = sorted(
        name
        for name in call.registry.permissions
        if name.partition(":")[0] == kind.resource and not name.endswith(":create")
    )
    team = call.directory.team_of(owner)
    for permission in actions:
        scope = whom.scope(permission)
        reached = reaches(scope, whom.user_id, whom.team_id, owner, team)
        because.append(f"{permission}: scope {scope.widest}, which {'reaches' if reached else 'does not reach'} it")
    return reaches(whom.scope(f"{kind.resource}:read"), whom.user_id, whom.team_id, owner, team)
