#!/usr/bin/env bash
# usage: build.sh TAG LABEL
# A small Debian with apt, from the machine's own apt sources, so that no address stands in a file.
set -euo pipefail
tag=$1 label=$2
sources=()
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*debian*.sources /etc/apt/sources.list.d/*debian*.list; do
  [ -s "$file" ] && sources+=("$file")
done
if [ ${#sources[@]} -eq 0 ]; then
  for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list; do [ -s "$file" ] && sources+=("$file"); done
fi
proxy=()
while read -r line; do proxy+=(--aptopt="$line"); done < <(apt-config dump | grep -E '^Acquire::(http|https).*Proxy ' || true)
mmdebstrap --variant=apt --include=tini "${proxy[@]}" \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
  bookworm - "${sources[@]}" | docker import -c 'CMD ["/bin/bash"]' -c 'ENV LANG=C.UTF-8' -c "LABEL $label" - "$tag"
