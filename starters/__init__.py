"""What sets work going: the Event Hubs trigger and the timers."""
