"""The outbox: what it costs `create_deal` that somebody has subscribed to it.

Three servers side by side, turn by turn: nobody has subscribed; the receiver never answers, so that what is written
for it is all that is added; and the receiver answers at once, so that the server delivers while it is measured.
"""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, contextmanager
from statistics import median
from threading import Thread
from typing import TYPE_CHECKING
from urllib.request import Request, urlopen

from benchmarks import databases, wire
from benchmarks.organisation import Organisation, some_deals
from benchmarks.processes import free_port, running
from benchmarks.report import RESULTS, Report, Target
from benchmarks.turns import Subject, Turns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.closedloop import Outcome
    from benchmarks.options import Options

NOBODY, SILENT, PROMPT = "nobody has subscribed", "the receiver never answers", "the receiver answers at once"
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def measured(options: Options) -> Report:
    """What came of it on each database."""
    reports = []
    for name, _ in databases.each(RESULTS):
        with ExitStack() as stack:
            subjects = [stack.enter_context(site(name, case)) for case in (NOBODY, SILENT, PROMPT)]
            turns = Turns(options.rounds, options.seconds)
            turns.take(subjects)
        reports.append(Report(turns.figures(), {}, [target(name, turns.outcomes)], turns.failures()))
    return Report.joined(reports)


@contextmanager
def site(database: str, case: str) -> Iterator[Subject]:
    """A server on a database of its own, with this receiver."""
    port = free_port()
    with ExitStack() as stack:
        address = stack.enter_context(dict(databases.each(RESULTS, case))[database])
        organisation = Organisation.at(address, SIXTY_WEBHOOK_NETWORKS="127.0.0.0/8")
        stack.enter_context(running(organisation.over_http(port), port, organisation.settings))
        if case != NOBODY:
            url = stack.enter_context(receiver(answers=case == PROMPT))
            subscribe(port, organisation.seller, url)
        requests = [wire.call(port, "create_deal", deal, organisation.seller) for deal in some_deals(100)]
        yield Subject(title(database, case), port, requests)


@contextmanager
def receiver(*, answers: bool) -> Iterator[str]:
    """The address of a receiver that answers each request at once, or none ever."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:

        def serve(connection: socket.socket) -> None:
            with connection:
                while request := connection.recv(65_536):
                    if answers and b"\r\n\r\n" in request:
                        connection.sendall(ANSWER)

        def listen() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:  # it is closed
                    return
                Thread(target=serve, args=(connection,), daemon=True).start()

        Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


def subscribe(port: int, token: str, url: str) -> None:
    """The owner of this token is told of every deal that is created."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    body = json.dumps({"url": url, "events": ["deal.created"]}).encode()
    with urlopen(Request(f"http://127.0.0.1:{port}/webhooks", body, headers), timeout=60) as answer:
        answer.read()


def target(database: str, outcomes: dict[str, list[Outcome]]) -> Target:
    """By how many percent fewer calls are served for the outbox alone: the middle of all rounds."""
    without, with_it = ([each.rate for each in outcomes[title(database, case)]] for case in (NOBODY, SILENT))
    less = median(100 * (1 - slower / faster) for slower, faster in zip(with_it, without, strict=True))
    return Target(f"cost of the outbox, % of create_deal, {database}", round(less, 1), must=15, aim=15, upper=True)


def title(database: str, case: str) -> str:
    """What a subject is called."""
    return f"create_deal, {database}: {case}"
