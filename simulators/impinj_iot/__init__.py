"""Impinj readers with the IoT device interface: MQTT, or a web server with a data stream."""
