"""The competition of live pictures: video codecs by ffmpeg, slideshows of stills, and backgrounds that stand still."""

from pantel_bench.live.peers.compete import LIVE_PEER_STEPS, live_peers

__all__ = ["LIVE_PEER_STEPS", "live_peers"]
