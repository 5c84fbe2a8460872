"""Counts of what is limited, in one Redis for all processes of an organisation.

Redis may be absent, slow or gone at any time. Whoever asks is told so then, and has to count for themselves; no call
waits for it to come back.
"""

from __future__ import annotations

import asyncio
import logging
from hashlib import sha1
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as Disconnected

from sixty.errors import ConfigError
from sixty.signals.within import apart

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Hit", "Rate", "SharedCounts"]

PATIENCE = 0.25
"""Seconds that Redis may take to answer."""
PAUSE = 1.0
"""Seconds after which one that did not answer is asked again."""

_HIT = """
local most, span = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[3] == 'windows' then
    local count = tonumber(redis.call('GET', KEYS[1]) or 0)
    if count >= most then return math.max(redis.call('PTTL', KEYS[1]), 1) end
    redis.call('INCR', KEYS[1])
    if count == 0 then redis.call('PEXPIRE', KEYS[1], span) end
    if count + 1 < most then return 0 end
    return -redis.call('PTTL', KEYS[1])
end
local oldest = tonumber(redis.call('LINDEX', KEYS[1], most - 1))
if oldest and oldest + span > now then return oldest + span - now end
redis.call('LPUSH', KEYS[1], now)
redis.call('LTRIM', KEYS[1], 0, most - 1)
redis.call('PEXPIRE', KEYS[1], span)
oldest = tonumber(redis.call('LINDEX', KEYS[1], most - 1))
if oldest and oldest + span > now then return now - oldest - span end
return 0
"""
"""Counts one if there is room, by Redis's own clock: a replica's may be wrong.

Gives the milliseconds until there is room, which are negative if it was counted all the same, as the last one.
"""
_NAME = sha1(_HIT.encode(), usedforsecurity=False).hexdigest()
"""How Redis names the script."""

_Command = tuple[str | int, ...]
_logger = logging.getLogger(__name__)


class Hit(NamedTuple):
    """What came of counting one."""

    counted: bool
    wait: float
    """Seconds until the next one is allowed."""


class Rate(Protocol):
    """So many in so many seconds."""

    count: int
    seconds: int
    is_exact: bool
    """Whether no such seconds, wherever they begin, may see more. Otherwise they begin with the first one counted."""


class SharedCounts:
    """One connection to Redis. Who comes while an answer is awaited asks together with the others of that moment."""

    def __init__(self, url: str, prefix: str) -> None:
        """`prefix` tells organisations apart. `ConfigError` if the URL is none of Redis's; nothing is connected yet."""
        # its own limits of time cost more than one for a whole exchange
        options: dict[str, Any] = {"socket_timeout": None, "socket_connect_timeout": None, "protocol": 2}
        try:
            self._pool: Any = ConnectionPool.from_url(url, retry=Retry(NoBackoff(), 0), **options)
        except ValueError:  # whose text may quote a password
            raise ConfigError("the setting SIXTY_REDIS_URL is bad: Redis's client cannot read it") from None
        self._prefix = prefix
        self._connection: Any = None
        self._waiting: list[tuple[_Command, asyncio.Future[Any]]] = []
        self._asking: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None
        self.trouble: str | None = "it has not been asked yet"
        """Why nothing is counted there right now, or None."""

    async def hit(self, key: str, rate: Rate) -> Hit | None:
        """Count one; None if that is not possible right now."""
        how = "exactly" if rate.is_exact else "windows"
        command = ("EVALSHA", _NAME, 1, f"{self._prefix}:{key}", rate.count, rate.seconds * 1000, how)
        answer = await self._answer(command)
        return Hit(answer <= 0, abs(answer) / 1000) if answer is not None else None

    async def look(self) -> str | None:
        """See whether it answers: the trouble, or None."""
        await self._answer(("PING",))
        return self.trouble

    async def close(self) -> None:
        """It is asked no more."""
        for task in (self._asking, self._returning):
            if task is not None:
                task.cancel()
                await asyncio.wait((task,))
        self._settle()  # who has come and was not asked for yet
        await self._disconnect()

    async def _answer(self, command: _Command) -> Any:
        """The answer to a command, or None."""
        if self._returning is not None:
            return None
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), context=apart())
        return await answer

    async def _ask(self) -> None:
        """Ask what waits, and what has come meanwhile, until nothing is left."""
        try:
            while asked := tuple(self._waiting):
                async with asyncio.timeout(PATIENCE):
                    answers = await self._exchange([command for command, _ in asked])
                self.trouble = None
                self._settle(answers)
        except (RedisError, OSError) as error:
            self.trouble = _reason(error)
            _logger.warning("Redis: %s; each process counts limits for itself meanwhile (%s)", self.trouble, error)
            self._returning = asyncio.create_task(self._return(), context=apart())
        finally:
            self._asking = None
            self._settle()

    def _settle(self, answers: Sequence[Any] | None = None) -> None:
        """Who has waited longest gets these answers; without any, everybody is told that there is none."""
        given = answers if answers is not None else [None] * len(self._waiting)
        settled, self._waiting = self._waiting[: len(given)], self._waiting[len(given) :]
        for (_, future), answer in zip(settled, given, strict=True):
            if not future.done():  # its caller has gone
                future.set_result(answer)

    async def _return(self) -> None:
        """Wait until it answers again."""
        while True:
            await asyncio.sleep(PAUSE)
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._disconnect()
                    await self._exchange([("PING",)])
            except (RedisError, OSError) as error:
                self.trouble = _reason(error)
            else:
                break
        self.trouble, self._returning = None, None
        _logger.warning("Redis answers again: limits are counted there")

    async def _exchange(self, commands: Sequence[_Command]) -> list[Any]:
        if self._connection is not None:
            try:
                return await _exchanged(self._connection, commands)
            except (Disconnected, OSError):  # perhaps it was closed while nobody asked
                await self._disconnect()
        self._connection = self._pool.make_connection()
        await self._connection.connect()
        await _exchanged(self._connection, [("SCRIPT", "LOAD", _HIT)])
        return await _exchanged(self._connection, commands)

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.disconnect(nowait=True)


async def _exchanged(connection: Any, commands: Sequence[_Command]) -> list[Any]:
    """The answers to commands that are sent together."""
    await connection.send_packed_command(connection.pack_commands(commands))
    return [await connection.read_response() for _ in commands]


def _reason(error: Exception) -> str:
    """What is wrong, in words that anybody may read."""
    if isinstance(error, AuthenticationError):
        return "it does not accept the user or the password"
    if isinstance(error, ResponseError):
        return f"it does not count: {str(error).partition(', with args')[0]}"  # which say who has called what
    return "it does not answer in time" if isinstance(error, TimeoutError) else "it cannot be reached"
