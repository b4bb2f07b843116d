# The action as GitHub builds and runs it for `uses: org/lambda-rollback-action@main`.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w -buildid=" -o /lambda-rollback-action .

FROM scratch
# HTTPS to AWS and GitHub needs the certificates; nothing else is needed.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /lambda-rollback-action /lambda-rollback-action
# No USER: the runner mounts the files for outputs and summary as root, and only
# root can write to them.
ENTRYPOINT ["/lambda-rollback-action"]
