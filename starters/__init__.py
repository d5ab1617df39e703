"""What sets work going: the Event Hubs trigger, the timers, and the one way in which an attempt at a batch is started."""
