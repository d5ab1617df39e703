"""MAVLink: packets, vehicles, and where they come from."""
