"""Reading the local hub without azure-eventhub, over the hub package's own codec.

azure-eventhub spends some 50 µs of CPU on an event, nearly all of it decoding in Python what few functions look at.
What the local hub sends is known: most events are annotations of four kinds and one binary, and those are read at
fixed places. Everything else goes through the codec, or, where even that fails, through azure-eventhub's own decoder.
Imported only when the local hub is in use.
"""
