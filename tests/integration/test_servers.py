"""The test servers themselves: what other tests rely on."""

import paho.mqtt.client as mqtt
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.servers import Postgres, Server


def connects(port: int) -> bool:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    try:
        client.connect("127.0.0.1", port)
        client.loop(1)
        client.disconnect()
    except ConnectionRefusedError:
        return False
    return True


@pytest.mark.parametrize("broker", ["nats", "mosquitto"])
@pytest.mark.timeout(60)
def test_a_broker_can_be_killed_and_started_again(broker: str, request: pytest.FixtureRequest) -> None:
    server: Server = request.getfixturevalue(broker)
    assert connects(server.port)
    server.kill()
    assert not connects(server.port)
    server.start()
    assert connects(server.port)


@pytest.mark.timeout(60)
def test_postgres_gives_a_fresh_database_each_time(postgres: Postgres) -> None:
    first, second = postgres.url(), postgres.url()
    assert first != second
    with psycopg.connect(second.replace("+psycopg", "")) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == (second.rsplit("/", 1)[1],)
