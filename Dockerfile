# syntax=docker/dockerfile:1
# coldroll alone: the image of the producer and the workers in docker-compose.yml, of Cloud Run jobs and Kubernetes.
FROM swift:6.3-bookworm AS builder
# Debian's stable releases keep one version of each: pinning the security fixes out helps nobody.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        libcurl4-openssl-dev libexif-dev libmicrohttpd-dev libpq-dev libqrencode-dev libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /coldroll
COPY Package.swift ./
COPY Sources Sources
COPY Tests Tests
COPY sql sql
# The package names it; it is not built.
COPY Benchmarks/queue/program Benchmarks/queue/program
RUN swift build --configuration release --static-swift-stdlib --product coldroll \
    && install -D --strip "$(swift build --configuration release --static-swift-stdlib --show-bin-path)/coldroll" \
        /out/coldroll

FROM debian:12-slim
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        ca-certificates libcurl4 libmicrohttpd12 libpq5 libqrencode4 libssl3 libstdc++6 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/coldroll --create-home coldroll
COPY --from=builder /out/coldroll /usr/local/bin/coldroll
COPY deploy/container/with-key /usr/local/bin/with-key
USER 10001:10001
ENV COLDROLL_HOME=/var/lib/coldroll
# SIGTERM, the default, finishes or gives back what is in hand; a second one gives back at once.
ENTRYPOINT ["coldroll"]
CMD ["--help"]
