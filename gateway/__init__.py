"""What turns real drones' protocols into messages and sends them to Event Hubs: MAVLink, DJI Cloud API, files.

It runs beside a ground station, on a companion computer or next to a broker; it is not deployed with the app. It
listens and sends telemetry on. It has no flight commands.
"""
