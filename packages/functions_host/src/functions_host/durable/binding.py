"""The URLs a durable client gets: as text of its binding, and in check-status answers."""

from __future__ import annotations

from urllib.parse import quote_plus

from functions_host.durable.jsontext import compact

WEBHOOK_PATH = "/runtime/webhooks/durabletask"


def management_urls(base_url: str, instance_id: str, query: str, rewind: bool) -> dict[str, str]:
    """Check-status payload; `query` is the fixed part (task hub and connection). Starting over HTTP has no rewind."""
    one = f"{base_url}{WEBHOOK_PATH}/instances/{quote_plus(instance_id)}"
    urls = {
        "id": instance_id,
        "statusQueryGetUri": f"{one}?{query}",
        "sendEventPostUri": f"{one}/raiseEvent/{{eventName}}?{query}",
        "terminatePostUri": f"{one}/terminate?reason={{text}}&{query}",
        "rewindPostUri": f"{one}/rewind?reason={{text}}&{query}",
        "purgeHistoryDeleteUri": f"{one}?{query}",
        "restartPostUri": f"{one}/restart?{query}",
        "suspendPostUri": f"{one}/suspend?reason={{text}}&{query}",
        "resumePostUri": f"{one}/resume?reason={{text}}&{query}",
    }
    if not rewind:
        del urls["rewindPostUri"]
    return urls


def fixed_query(task_hub: str, connection: str) -> str:
    return f"taskHub={quote_plus(task_hub)}&connection={quote_plus(connection)}"


def client_binding(base_url: str, task_hub: str, connection: str, rpc_base_url: str | None = None) -> str:
    """What the durableClient binding hands to the SDK. There is no key (``code``): a local host asks for none.

    `rpc_base_url`: what the client itself calls, if not the management API that everybody knows.
    """
    query = fixed_query(task_hub, connection)
    create = f"{base_url}{WEBHOOK_PATH}/orchestrators/{{functionName}}[/{{instanceId}}]"
    return compact(
        {
            "taskHubName": task_hub,
            "creationUrls": {
                "createNewInstancePostUri": f"{create}?{query}",
                "createAndWaitOnNewInstancePostUri": (
                    f"{create}?timeout={{timeoutInSeconds}}&pollingInterval={{intervalInSeconds}}&{query}"
                ),
            },
            "managementUrls": management_urls(base_url, "INSTANCEID", query, rewind=True),
            "baseUrl": base_url + WEBHOOK_PATH,
            "requiredQueryStringParameters": "",
            "rpcBaseUrl": rpc_base_url or f"{base_url}{WEBHOOK_PATH}/",
        }
    )
