#!/bin/sh
# Runs once, after InfluxDB 2 has set up its organisation, bucket and token from the environment.
# InfluxQL comes through the API of InfluxDB 1, which knows databases and users instead of buckets and tokens.
set -eu

# The database of that name is the bucket. InfluxDB 2.7 maps new buckets by itself; that mapping is virtual and cannot
# be the default of several, so ours is said.
influx v1 dbrp create \
    --host http://localhost:8086 \
    --org "$DOCKER_INFLUXDB_INIT_ORG" \
    --token "$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN" \
    --bucket-id "$DOCKER_INFLUXDB_INIT_BUCKET_ID" \
    --db "$DOCKER_INFLUXDB_INIT_BUCKET" \
    --rp autogen \
    --default

# For tools that know only a user and a password. Grafana itself sends the token in a header.
influx v1 auth create \
    --host http://localhost:8086 \
    --org "$DOCKER_INFLUXDB_INIT_ORG" \
    --token "$DOCKER_INFLUXDB_INIT_ADMIN_TOKEN" \
    --username reader \
    --password "$V1_PASSWORD" \
    --read-bucket "$DOCKER_INFLUXDB_INIT_BUCKET_ID"
