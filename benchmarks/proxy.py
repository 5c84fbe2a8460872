"""An nginx before the replicas, which sends each session of the handshake era to where it was opened.

Without TLS, which would cost more than all that is measured here; how it routes is as in `deploy/nginx`.
"""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks.processes import end, free_port, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

__all__ = ["proxy"]

CONFIGURATION = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log warn;
events {{ worker_connections 8192; }}
http {{
    access_log off;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
    uwsgi_temp_path {folder}; scgi_temp_path {folder};
    map $http_mcp_session_id $whom {{ default $http_mcp_session_id; "" $request_id; }}
    upstream sixty {{ hash $whom consistent; keepalive 256; {servers} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://sixty; proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_set_header Host $host; proxy_set_header X-Request-ID $whom;
            proxy_buffering off; proxy_read_timeout 1h;
        }}
    }}
}}
"""


@contextmanager
def proxy(ports: Sequence[int], folder: Path) -> Iterator[int]:
    """The port of an nginx before the servers on these."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin")
    if program is None:
        raise SystemExit("nginx is missing: leave --nginx out, or install it")
    port = free_port()
    servers = " ".join(f"server 127.0.0.1:{one};" for one in ports)
    path = folder / "nginx.conf"
    path.write_text(CONFIGURATION.format(folder=folder, servers=servers, port=port))
    with subprocess.Popen([program, "-c", str(path), "-e", str(folder / "nginx.log")]) as process:
        try:
            wait_for(port, process)
            yield port
        finally:
            end(process)
