FROM python:3.13-slim AS build

WORKDIR /build
COPY requirements.lock ./
# Wheels only: no compiler is ever needed, and each file is the one whose hash is in the lock. The lock is
# complete, and leaves out what the framework names and we have no use for.
RUN python -m venv --without-pip /opt/greenroom \
    && pip --python /opt/greenroom install --no-cache-dir --only-binary :all: \
       --no-deps --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY service service
# The build back end comes from the lock too, and has no business in the image.
RUN pip --python /opt/greenroom install --no-cache-dir --no-deps --no-build-isolation . \
    && pip --python /opt/greenroom uninstall --yes flit-core


FROM python:3.13-slim

# A fixed number, so that the owner of a mounted folder can be set from outside.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data \
       --shell /usr/sbin/nologin greenroom \
    && install --directory --owner greenroom --group greenroom --mode 0700 /data
COPY --from=build /opt/greenroom /opt/greenroom
ENV PATH=/opt/greenroom/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    GREENROOM_DATA_DIR=/data

USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/ready', timeout=2)"]
ENTRYPOINT ["greenroom"]
CMD ["serve", "--host", "0.0.0.0"]
