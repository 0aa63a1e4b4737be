"""Complete small programs: `python -m layerkit.examples.digits`."""
