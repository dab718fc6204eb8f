"""The receiver's web page: what it shows, who may see it, and the server that brings it."""
