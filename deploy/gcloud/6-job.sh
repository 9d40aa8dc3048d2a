#!/usr/bin/env bash
# Makes the Cloud Run job, or changes the one that is there to these settings. Safe to repeat: after each new image.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

settings=(
    "COLDROLL_DATABASE_URL=postgresql://coldroll@/coldroll?host=/cloudsql/$CONNECTION"
    "COLDROLL_HOME=/tmp/coldroll"
    "COLDROLL_KEY_FILE=/tmp/coldroll-key"
    "COLDROLL_ARCHIVE=$COLDROLL_ARCHIVE"
    "COLDROLL_STATE=$COLDROLL_STATE"
    "COLDROLL_SOURCE=$COLDROLL_SOURCE"
    "COLDROLL_ACCOUNT=$COLDROLL_ACCOUNT"
)
# A run that has to wait longer than a quarter of an hour, for tomorrow's quota, ends: waiting costs as much as working, and
# the next one goes on. A task that was killed, or ended with what may pass, is started again.
gcloud run jobs deploy "$JOB" --image="$IMAGE" --region="$REGION" --service-account="$WORKER" \
    --command=with-key --args=run,--max-wait,15m \
    --set-cloudsql-instances="$CONNECTION" \
    --set-env-vars="$(
        IFS=,
        printf '%s' "${settings[*]}"
    )" \
    --set-secrets=PGPASSWORD=coldroll-database-password:latest,/secrets/coldroll/key=coldroll-key:latest \
    --tasks="$TASKS" --parallelism="$TASKS" --max-retries=3 --task-timeout=24h --cpu=1 --memory=512Mi
say "The job $JOB is there. deploy/gcloud/8-run.sh starts it."
