"""Middleware made of asgiwire alone, for applications of any framework: each file is one, to be copied.

========================  ============================================================================
``authentication.py``     who sends a bearer token, into ``user`` and ``auth``
``session.py``            a session in a signed cookie (needs itsdangerous)
``access_log.py``         a request id, and one structured line of log for each connection
``body_size.py``          a cap on the body, by path
``webhook_signature.py``  only bodies with the right signature get through
========================  ============================================================================
"""
