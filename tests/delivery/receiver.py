"""A receiver of webhooks: `python receiver.py PORT FILE SECRET`.

It checks each signature, writes what has come to the file, and only then says that it has it: whatever it has
acknowledged is there, however it ends.
"""

from __future__ import annotations

import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from standardwebhooks import Webhook

PORT, FILE, SECRET = sys.argv[1:]
ACCEPTED = 204
_webhook = Webhook(SECRET)
_turn = Lock()
_file = os.open(FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT)


class Receiver(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Keep an event. One with a bad signature ends the process, and so the test."""
        length = int(self.headers["content-length"])
        body = self.rfile.read(length)
        if len(body) < length:  # whoever was sending has been killed
            self.close_connection = True
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            event = _webhook.verify(body.decode(), headers)
        except Exception as error:
            os.write(_file, json.dumps({"error": repr(error)}).encode() + b"\n")
            raise
        with _turn:
            os.write(_file, json.dumps({"id": headers["webhook-id"], **event}).encode() + b"\n")
            os.fsync(_file)
        self.send_response(ACCEPTED)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


_Server(("127.0.0.1", int(PORT)), Receiver).serve_forever()
