# The image that GitHub builds and runs for `uses: org/lambda-rollback-action@v1`.

# Cross-compile on the build platform, without emulation. The fallback is for the
# classic builder, which does not set BUILDPLATFORM. Source of the digest:
# https://github.com/docker-library/repo-info/blob/e243c7edb883107b26904e1bfd094b120b43b9a8/repos/golang/remote/1.26.8-bookworm.md
FROM --platform=${BUILDPLATFORM:-linux} golang:1.26.8-bookworm@sha256:9fdc884aacc3bec89b20ffc69f4bb369c78210e3e4f600387b5128b12c199f81 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
# Shown by --version. Set for a release, empty in a build from a checkout.
ARG VERSION
ARG REVISION
# The image needs only the binary and the CA certificates for HTTPS. All files and
# folders get the same timestamp, so that the build is reproducible.
ARG SOURCE_DATE_EPOCH=0
RUN CGO_ENABLED=0 GOOS="$TARGETOS" GOARCH="$TARGETARCH" go build -trimpath -buildvcs=false \
        -ldflags="-s -w -buildid= -X main.version=$VERSION -X main.revision=$REVISION" \
        -o /image/lambda-rollback-action . && \
    install -D --mode=644 /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ca-certificates.crt && \
    find /image -exec touch --date="@$SOURCE_DATE_EPOCH" {} +

FROM scratch
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="lambda-rollback-action" \
      org.opencontainers.image.description="Puts an AWS Lambda alias back on the version that worked when a deploy failed" \
      org.opencontainers.image.source="https://github.com/org/lambda-rollback-action" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /image /
# The program needs little memory and ends soon: a garbage collection before main
# would only delay the first call to AWS.
ENV GOGC=400
# No USER: the runner mounts the files for outputs and the summary as root, and only
# root can write to them.
ENTRYPOINT ["/lambda-rollback-action"]
