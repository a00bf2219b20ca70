# Refdesk as an image: one program, one user without rights, no shell. docs/install.md says how to run it.
#
#   docker build -t refdesk .
#
# The build needs BuildKit, which Docker and Podman have.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# The caches hold the registry and the compiled dependencies between two builds; the program itself is copied out.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --profile dist --locked --bin refdesk \
    && install -D -m 0755 target/dist/refdesk /out/usr/local/bin/refdesk \
    && install -d -m 0700 /out/data

# glibc, libgcc, certificate authorities, /tmp and the user 65532, nothing else. The same Debian as above, since the
# program needs the C library it was built with, or a newer one.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/usr/local/bin/refdesk /usr/local/bin/refdesk

USER 65532:65532
WORKDIR /data
VOLUME /data
ENV REFDESK_LISTEN=0.0.0.0:8080 \
    REFDESK_DATABASE_URL=sqlite:///data/refdesk.db
EXPOSE 8080
# It drains for 20 seconds and a little, so give it 30: docker stop --time 30.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/refdesk"]
