#!/usr/bin/env bash
# Runs coldroll on this computer with the job's database, buckets and key:
#
#   deploy/gcloud/coldroll.sh status
#   deploy/gcloud/coldroll.sh failures
#
# Needs coldroll and cloud-sql-proxy (the Cloud SQL Auth Proxy, version 2) on the PATH, and your own rights, by
# 'gcloud auth application-default login'.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

for program in coldroll cloud-sql-proxy; do
    command -v "$program" >/dev/null || {
        say "$program is not on the PATH: docs/deploy/google-cloud.md says where to get it."
        exit 1
    }
done
there gcloud auth application-default print-access-token || {
    say "coldroll needs your rights in the project: run 'gcloud auth application-default login'."
    exit 1
}
# A home of its own: nothing of a coldroll that this computer has for itself is touched.
export COLDROLL_HOME=${COLDROLL_HOME:-$HOME/.local/share/coldroll-$COLDROLL_PROJECT}
mkdir -p "$COLDROLL_HOME"
chmod 700 "$COLDROLL_HOME"
if [ ! -e "$COLDROLL_HOME/key" ] && there gcloud secrets versions access latest --secret=coldroll-key; then
    (
        umask 077
        gcloud secrets versions access latest --secret=coldroll-key >"$COLDROLL_HOME/key.part"
    )
    mv "$COLDROLL_HOME/key.part" "$COLDROLL_HOME/key"
fi
PGPASSWORD=$(gcloud secrets versions access latest --secret=coldroll-database-password)
export PGPASSWORD

# A short path, since that of a socket may not be long.
sockets=$(mktemp -d /tmp/coldroll.XXXXXX)
# In a session of its own: Ctrl-C is for coldroll, which needs the database to give back what it has in hand.
setsid cloud-sql-proxy --quiet --unix-socket "$sockets" "$CONNECTION" &
proxy=$!
trap 'kill "$proxy" 2>/dev/null || true; wait "$proxy" 2>/dev/null || true; rm -rf "$sockets"' EXIT
for _ in {1..300}; do
    [ ! -S "$sockets/$CONNECTION/.s.PGSQL.5432" ] || break
    kill -0 "$proxy" 2>/dev/null || {
        say "cloud-sql-proxy has ended: it says above why."
        exit 1
    }
    sleep 0.1
done
export COLDROLL_DATABASE_URL="postgresql://coldroll@/coldroll?host=$sockets/$CONNECTION"
coldroll "$@"
