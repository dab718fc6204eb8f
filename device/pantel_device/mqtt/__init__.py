"""Tells an MQTT broker what a receiver receives; docs/mqtt.md lists topics and payloads."""
