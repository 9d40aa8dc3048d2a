#!/usr/bin/env bash
# Makes the buckets, after it has shown what they cost and you have agreed; makes the database's schema; logs in to Google
# Photos; gives the job its key and its rights in the buckets. Safe to repeat: after a login that Google refuses, for one.
#
#   deploy/gcloud/4-login.sh --client ~/Downloads/client_secret.json     the first time
#   deploy/gcloud/4-login.sh                                             again
#
# What follows the name is passed to 'coldroll login': --no-browser where there is none.
set -euo pipefail
source "$(dirname "$0")/settings.sh"
here=$(dirname "$0")
export COLDROLL_HOME=${COLDROLL_HOME:-$HOME/.local/share/coldroll-$COLDROLL_PROJECT}

"$here/coldroll.sh" setup --location "$REGION" --project "$COLDROLL_PROJECT"
"$here/coldroll.sh" login "$@"

there gcloud secrets describe coldroll-key ||
    gcloud secrets create coldroll-key --replication-policy=automatic
kept=$(gcloud secrets versions list coldroll-key --filter=state:ENABLED --format="value(name)" --limit=1)
[ -z "$kept" ] || kept=$(gcloud secrets versions access latest --secret=coldroll-key)
if [ "$kept" != "$(cat "$COLDROLL_HOME/key")" ]; then
    gcloud secrets versions add coldroll-key --data-file="$COLDROLL_HOME/key"
fi
patiently gcloud secrets add-iam-policy-binding coldroll-key --member="serviceAccount:$WORKER" \
    --role=roles/secretmanager.secretAccessor

# bucket URL ROLE: rights in one bucket only; the archive can be added to, never overwritten or deleted from.
bucket() {
    local name=${1#gs://}
    patiently gcloud storage buckets add-iam-policy-binding "gs://${name%%/*}" --member="serviceAccount:$WORKER" --role="$2"
}
bucket "$COLDROLL_ARCHIVE" roles/storage.objectCreator
bucket "$COLDROLL_ARCHIVE" roles/storage.objectViewer
bucket "$COLDROLL_STATE" roles/storage.objectUser
say "Logged in, and $WORKER may use the key and the buckets."
