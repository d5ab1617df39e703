"""The domain: what a drone's telemetry is, and what may be concluded from it. Pure: no I/O, no Azure.

Where to look: ``identity`` (ids), ``envelope`` (a batch as one document), ``validation`` (accepted or rejected, with
``decoding``, ``protobuf`` and ``fields`` behind it), ``enrichment`` (``registry``, ``zones``), ``merge`` (the latest
state), ``view`` (what the API shows), ``times``, ``rules`` and ``model`` (the shapes).
"""
