"""The Functions app: one Blueprint per concern, and nothing else. What each does stands in the room of its name."""

from __future__ import annotations

import azure.durable_functions as df
import azure.functions as func

import activities.alert_triggers
import activities.triggers
import entities.drone
import http_api
import observability.exporting
import orchestrators.alert_delivery
import orchestrators.alert_episode
import orchestrators.alert_monitor
import orchestrators.flush_drones
import orchestrators.process_batch
import orchestrators.process_batch_v2
import starters.ingest
import starters.timers
from settings import get_settings

# A wrong setting stops the start here, with its name; HTTP routes check who may themselves (AUTH_MODE).
observability.exporting.configure(get_settings())

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

for blueprint in (
    starters.ingest.blueprint,
    starters.timers.blueprint,
    orchestrators.process_batch.blueprint,
    orchestrators.process_batch_v2.blueprint,
    orchestrators.flush_drones.blueprint,
    orchestrators.alert_monitor.blueprint,
    orchestrators.alert_episode.blueprint,
    orchestrators.alert_delivery.blueprint,
    activities.triggers.blueprint,
    activities.alert_triggers.blueprint,
    entities.drone.blueprint,
    *http_api.blueprints,
):
    app.register_functions(blueprint)
