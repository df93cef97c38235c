"""Load cells on boards that publish MQTT: Tasmota, ESPHome, behind Home Assistant, SenML, plain JSON."""
