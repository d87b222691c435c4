"""Middleware built on asgiwire alone, for applications of any framework. Copy the file that you need.

========================  ============================================================================
``authentication.py``     bearer authentication, stored in ``user`` and ``auth``
``session.py``            a session in a signed cookie (requires itsdangerous)
``access_log.py``         a request id, and one structured log record for each connection
``body_size.py``          a maximum body size for each path
``webhook_signature.py``  rejects a body without a valid signature
========================  ============================================================================

All of them use ``responses.py``.
"""
