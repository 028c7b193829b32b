"""Beside the stages: what comes from the web, fetched once where there is a web."""

from sid.fetch.cache import fetch, fetched, locate
from sid.fetch.catalogue import File, find

__all__ = ["File", "fetch", "fetched", "find", "locate"]
