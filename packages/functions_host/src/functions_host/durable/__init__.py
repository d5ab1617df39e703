"""Durable engine: the azure-functions-durable 1.x protocol over one SQLite file.

Use::

    engine = DurableEngine(data_dir, DurableOptions.from_host_json(host_json), runner)
    await engine.start()                       # goes on where it stood
    engine.base_url = "http://127.0.0.1:7071"  # as soon as the port is known, before the first client_binding
    answer = await engine.handle_management(ManagementRequest("GET", "instances/abc"))
    text = engine.client_binding(None, None)   # JSON for a durableClient input binding
    engine.install_sdk_acceleration()          # optional: the SDK in this process gets quicker, with equal results
    await engine.stop(grace=10.0)
"""

from functions_host.durable.engine import DurableEngine
from functions_host.durable.lock import StoreInUseError
from functions_host.durable.options import DurableOptions
from functions_host.durable.runner import FunctionRunner, UserFunctionError, WorkItemLostError
from functions_host.durable.transport import ManagementRequest, ManagementResponse

__all__ = [
    "DurableEngine",
    "DurableOptions",
    "FunctionRunner",
    "ManagementRequest",
    "ManagementResponse",
    "StoreInUseError",
    "UserFunctionError",
    "WorkItemLostError",
]
