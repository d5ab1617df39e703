"""What sets work going: the Event Hubs trigger, the timers, and how an attempt at a batch is started."""
