#!/bin/sh
# Makes the password file from the environment, then becomes Mosquitto.
set -eu
passwords=${PASSWORDS:-/mosquitto/data/passwords}

umask 077
: > "$passwords"
mosquitto_passwd -b "$passwords" cloud "$BROKER_CLOUD_PASSWORD"
for edge in $EDGES; do
    mosquitto_passwd -b "$passwords" "$edge" "$BROKER_EDGE_PASSWORD"
done
# Mosquitto gives up root before it reads the file.
if [ "$(id -u)" = 0 ]; then
    chown mosquitto "$passwords"
fi
exec mosquitto -c "${CONFIG:-/etc/stockbeat/mosquitto.conf}"
