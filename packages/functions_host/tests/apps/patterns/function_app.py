"""Each documented Durable Functions pattern in one small app, driven over HTTP. Runs on the real host as well."""

import azure.durable_functions as df
import azure.functions as func

from activities import activities
from entities import entities
from orchestrators import orchestrators
from starters import starters

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)
for blueprint in (starters, orchestrators, activities, entities):
    app.register_functions(blueprint)
