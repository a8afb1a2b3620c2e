"""Serve the built book to this machine alone, at http://localhost:8000. Run through nox: `nox -s serve -- PORT`."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BOOK = Path(__file__).resolve().parents[1] / "build" / "html"
HOST = "127.0.0.1"


class Server(ThreadingHTTPServer):
    """A server that shares its port with no other."""

    allow_reuse_address = False
    daemon_threads = True


def server(port: int, folder: Path = BOOK) -> Server:
    """Return a server of a folder; ValueError, which names folder or port, where there is none or it is taken."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is missing: `nox -s book` builds it")
    try:
        return Server((HOST, port), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    except (OSError, OverflowError) as error:
        raise ValueError(f"port = {port}: allowed is a free one from 0 to 65535 ({error})") from None


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int, nargs="?", default=8000)
    try:
        serving = server(parser.parse_args(arguments).port)
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    with serving:
        print(f"http://localhost:{serving.server_port}", flush=True)
        try:
            serving.serve_forever()
        except KeyboardInterrupt:
            return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
