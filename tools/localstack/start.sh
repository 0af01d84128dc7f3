#!/usr/bin/env bash
# usage: start.sh VENV WORKDIR [PORT]    LocalStack 4.14.0 on loopback, in the foreground; its files lie in WORKDIR.
set -euo pipefail
venv=$1 work=$2 port=${3:-4566}
mkdir -p "$work"/{fs,cache,tmp}
export GATEWAY_LISTEN=127.0.0.1:$port LOCALSTACK_HOST=127.0.0.1:$port
export SQS_ENDPOINT_STRATEGY=path
export DISABLE_EVENTS=1 SKIP_SSL_CERT_DOWNLOAD=1 EAGER_SERVICE_LOADING=0 DNS_ADDRESS=0
export OVERRIDE_IN_DOCKER=0  # a machine that is a container itself is not LocalStack's own
export FILESYSTEM_ROOT=$work/fs XDG_CACHE_HOME=$work/cache TMPDIR=$work/tmp
export LAMBDA_RUNTIME_EXECUTOR=process
unset "${!AWS_@}"
exec "$venv/bin/python" -m localstack.runtime.main
