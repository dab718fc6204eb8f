"""The sender and receiver daemons: cameras, observer, scene encoder, renderer, configuration, command line."""
