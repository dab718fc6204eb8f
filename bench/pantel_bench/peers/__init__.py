"""The competition: the codecs of Pillow under rules that favour them."""

from pantel_bench.peers.formats import PEER_FORMATS, PeerFile, PeerFormat
from pantel_bench.peers.search import DOWNSCALES, PeerPicture, candidates

__all__ = ["DOWNSCALES", "PEER_FORMATS", "PeerFile", "PeerFormat", "PeerPicture", "candidates"]
