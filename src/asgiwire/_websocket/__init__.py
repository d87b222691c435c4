"""The WebSocket connection below ``WebSocket``: states, events, and the channel that sends and receives."""
