"""The web API: FastAPI routes over the services, live streams, and the server that carries them."""
