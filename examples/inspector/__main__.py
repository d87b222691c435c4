"""Start the inspector on uvicorn: ``python -m examples.inspector [--host 127.0.0.1] [--port 8000]``."""

from __future__ import annotations

import argparse
import errno
import socket
import sys

from .app import app


def main() -> int:
    """Serve until Ctrl+C; return the exit code of the process."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.inspector", description="Show what a client sends."
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument(
        "--port", default=8000, type=int, help="port to listen on, 0 for any free port (%(default)s)"
    )
    options = parser.parse_args()
    try:
        import uvicorn  # noqa: PLC0415 - its absence is reported below
    except ImportError:
        return fail("uvicorn is not installed; run: pip install uvicorn websockets")
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem = f"port {options.port} on {options.host} is in use, perhaps by another inspector"
            return fail(f"{problem}; stop it or use another port: --port {options.port + 1}")
        return fail(f"cannot listen on {options.host}, port {options.port}: {error.strerror or error}")
    print(f"The inspector is at {address(listener)} (Ctrl+C stops it)", flush=True)
    try:
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])
    except KeyboardInterrupt:
        print("stopped")
    return 0


def listen(host: str, port: int) -> socket.socket:
    """Open the port before the server starts, so that an error is reported without a traceback."""
    return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)


def address(listener: socket.socket) -> str:
    """Return the URL of the inspector."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def fail(problem: str) -> int:
    """Print the error message and return the exit code."""
    print(f"error: {problem}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
