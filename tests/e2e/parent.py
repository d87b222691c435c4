"""Ends a server after its test process has ended.

Killed tests stop no server, and a server runs in its own session, which signals to the tests do not reach.
"""

from __future__ import annotations

import os
import signal
import threading
import time

PARENT = "ASGIWIRE_E2E_PARENT"


def end_with_parent() -> None:
    """Start a thread that ends this process after its parent."""
    parent = os.environ.get(PARENT)
    if parent is not None:
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    while True:
        time.sleep(2)
        try:
            os.kill(parent, 0)
        except ProcessLookupError:
            # The process group is the server's own, because of `start_new_session`.
            os.killpg(os.getpgrp(), signal.SIGKILL)
