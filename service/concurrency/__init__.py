"""What tasks and threads of one process share: turns, patience, what is done beside the event loop."""
