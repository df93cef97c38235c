"""Zebra readers whose IoT Connector publishes MQTT."""
