"""The app's way to Event Hubs beside the trigger: sending, reading again, and what an event is to the pipeline."""
