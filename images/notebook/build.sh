#!/usr/bin/env bash
# usage: build.sh TAG LABEL
set -euo pipefail
DOCKER_BUILDKIT=0 docker build -q --label "$2" -t "$1" "$(cd "$(dirname "$0")" && pwd)"
