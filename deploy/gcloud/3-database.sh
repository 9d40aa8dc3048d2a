#!/usr/bin/env bash
# Makes the Cloud SQL instance, the database, its password as a secret, and the user. Takes ten minutes the first time.
# Safe to repeat. From here on it costs money every hour: docs/deploy/costs.md.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

if ! there gcloud sql instances describe "$INSTANCE"; then
    # No network may reach it by its address: only who Google lets through its proxy, which Cloud Run has built in.
    gcloud sql instances create "$INSTANCE" --database-version=POSTGRES_17 --edition=enterprise --tier="$TIER" \
        --region="$REGION" --availability-type=zonal --storage-type=SSD --storage-size=10 --storage-auto-increase \
        --connector-enforcement=REQUIRED --ssl-mode=ENCRYPTED_ONLY \
        --backup-start-time=06:00 --retained-backups-count=7 --deletion-protection
fi
there gcloud sql databases describe coldroll --instance="$INSTANCE" ||
    gcloud sql databases create coldroll --instance="$INSTANCE"

there gcloud secrets describe coldroll-database-password ||
    gcloud secrets create coldroll-database-password --replication-policy=automatic
# A secret without a version is what a broken run leaves. One that cannot be listed is no reason for another password.
versions=$(gcloud secrets versions list coldroll-database-password --filter=state:ENABLED --format="value(name)" --limit=1)
[ -n "$versions" ] ||
    openssl rand -hex 32 | tr -d '\n' | gcloud secrets versions add coldroll-database-password --data-file=- >/dev/null
patiently gcloud secrets add-iam-policy-binding coldroll-database-password --member="serviceAccount:$WORKER" \
    --role=roles/secretmanager.secretAccessor

if ! there gcloud sql users describe coldroll --instance="$INSTANCE"; then
    password=$(gcloud secrets versions access latest --secret=coldroll-database-password)
    # From a pipe of this shell, so that it is on no command line.
    gcloud sql users create coldroll --instance="$INSTANCE" --flags-file=<(printf -- '--password: "%s"\n' "$password")
fi
say "The database is there: $CONNECTION."
