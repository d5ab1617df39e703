"""What a fleet needs and costs in Azure, by calculation: ``python -m benchmarks.scaling``.

``prices``: what is billed, with sources. ``counts``: what one batch, one signal and so on ask of each service; what can
be counted on the tests' protocol servers is, and tests/contract_store/test_costs.py holds the numbers to the code.
``model``: a fleet and a deployment in, rates and dollars out. ``tables``: the tables of docs/scaling.md.
"""

from benchmarks.scaling.deployment import Deployment, Fleet, profile
from benchmarks.scaling.model import Needs, needs

__all__ = ["Deployment", "Fleet", "Needs", "needs", "profile"]
