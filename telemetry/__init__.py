"""The domain: what a drone's telemetry is, and what may be concluded from it. Pure: no I/O, no Azure.

Where to look: ``vocabulary`` (every closed list of words), ``fields`` (the table of a message's fields, which
``reading``, ``merge``, ``view``, ``schema`` and docs/messages.md follow), ``identity`` (ids), ``envelope`` and
``context`` (a batch as one document, and what came with its events), ``validation`` (accepted or rejected: ``told``
reads an event through ``encodings``, ``decoding`` and ``formats``, ``letters`` keeps what was rejected),
``enrichment`` (``registry``, ``zones``), ``merge`` (the latest state), ``view`` and ``export`` (what the API shows),
``flights``, ``times``, ``rules`` and ``model``.
"""
