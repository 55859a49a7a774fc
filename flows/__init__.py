"""What is asked: flows, the engine that walks them, and the words it needs. Pure."""
