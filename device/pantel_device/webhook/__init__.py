"""Posts alarms to a web server; docs/mqtt.md tells how."""
