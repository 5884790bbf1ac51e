#!/usr/bin/env bash
# usage: build.sh TAG LABEL
# One static program and busybox in an empty image.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tag=$1 label=$2
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/root/{bin,etc,workspace,home/workspace,tmp}
clang++-19 -std=c++20 -O2 -static -pthread -Wall -Wextra -o "$tree/root/bin/testapp" "$here/testapp.cpp"
cp /usr/bin/busybox "$tree/root/bin/busybox"
for tool in sh cat ls ps kill sleep echo env id touch rm mkdir stat sync; do ln -s busybox "$tree/root/bin/$tool"; done
echo 'workspace:x:1000:1000::/home/workspace:/bin/sh' >"$tree/root/etc/passwd"
echo 'workspace:x:1000:' >"$tree/root/etc/group"
touch "$tree"/root/workspace/.keep "$tree"/root/home/workspace/.keep
chown -R 1000:1000 "$tree/root/workspace" "$tree/root/home/workspace" 2>/dev/null || true
chmod 1777 "$tree/root/tmp"
tar -C "$tree/root" -c . | docker import \
  -c 'ENTRYPOINT ["/bin/testapp"]' -c 'USER 1000:1000' -c 'ENV PATH=/bin' -c 'ENV HOME=/home/workspace' \
  -c 'WORKDIR /workspace' -c 'EXPOSE 8080' -c "LABEL $label" - "$tag" 
