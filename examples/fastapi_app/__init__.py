"""A FastAPI application with asgiwire's requests: ``uvicorn examples.fastapi_app.app:app``.

It has JSON, a form with a session and a CSRF middleware, a streamed upload, and a WebSocket room.
"""
