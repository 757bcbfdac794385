"""HTTP and the websocket: one file per capability."""
