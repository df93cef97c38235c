# One image for every part of Stockbeat: the command decides which it is.
FROM python:3.11-slim

# The lock, without what only tests and checks need, is installed first, and is a layer of its own: it changes less often than the program.
WORKDIR /srv/stockbeat
COPY requirements-run.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes --requirement requirements-run.txt

COPY pyproject.toml README.md LICENSE ./
COPY wire wire
COPY edge edge
COPY cloud cloud
COPY simulators simulators
COPY dashboards dashboards
COPY stockbeat stockbeat
COPY examples examples
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
 && useradd --system --uid 10001 --home-dir /var/lib/stockbeat --create-home stockbeat

# Nothing needs root; a volume mounted here takes over the folder's owner.
USER stockbeat
ENV PYTHONUNBUFFERED=1
ENTRYPOINT ["stockbeat"]
CMD ["--help"]
