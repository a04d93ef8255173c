#!/usr/bin/env bash
# Clients that know no proxy, in a network of their own, whose firewall redirects them to
# `wscope proxy --transparent`. Run by tests/interop/proxy as `unshare --net redirected.sh …`.
#
#   redirected.sh WSCOPE FOLDER CLIENT…     prints what the clients print, then the transcript

set -euo pipefail
wscope=$1 folder=$2
shift 2
mkdir -p "$folder"
ip link set lo up
ip address add 10.77.0.1/24 dev lo
nft add table ip redirected
nft 'add chain ip redirected out { type nat hook output priority -100 ; }'
# The proxy's own connections, by its group.
nft 'add rule ip redirected out meta skgid nogroup accept'
nft 'add rule ip redirected out tcp dport { 7001, 7002 } redirect to :7000'

"$wscope" listen -q --echo 10.77.0.1:7001 &
"$wscope" listen -q --echo 10.77.0.1:7002 --self-signed-out "$folder/server.pem" &
trap 'kill $(jobs -p)' EXIT
until [[ -s $folder/server.pem ]]; do sleep 0.05; done
setpriv --regid nogroup --clear-groups "$wscope" proxy 7000 --transparent \
  --ca-dir "$folder/ca" --cacert "$folder/server.pem" --log "$folder/log" \
  >"$folder/transcript" 2>"$folder/stderr" &
until grep -qs listening "$folder/stderr"; do sleep 0.05; done
export SSL_CERT_FILE=$folder/ca/wscope-ca.pem
for url in ws://10.77.0.1:7001/ wss://10.77.0.1:7002/; do
  "$@" "$url" '{}' '[["text", "through"], ["receive"], ["close", 1000, ""]]'
done
until [[ $(grep -c "the client closed with 1000" "$folder/transcript") = 2 ]]; do sleep 0.05; done
cat "$folder/transcript"
