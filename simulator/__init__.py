"""A fleet of drones that fly, and send what they measure to Event Hubs as any device does."""
