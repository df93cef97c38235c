"""The ledger as time series: a follower writes what it holds to InfluxDB, for dashboards. Nothing reads it back."""
