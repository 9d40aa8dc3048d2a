#!/usr/bin/env bash
# Lets Cloud Scheduler start the job, or changes when it does. Safe to repeat.
#
#   SCHEDULE="0 9 * * *" deploy/gcloud/7-schedule.sh     each day, while a first import goes on
#   deploy/gcloud/7-schedule.sh                          each month
set -euo pipefail
source "$(dirname "$0")/settings.sh"

# The right to start this one job, and nothing else.
patiently gcloud run jobs add-iam-policy-binding "$JOB" --region="$REGION" --member="serviceAccount:$CALLER" \
    --role=roles/run.invoker
change=create
if there gcloud scheduler jobs describe "$JOB" --location="$SCHEDULER_REGION"; then change=update; fi
# An OAuth token, not an identity token: what is called is Google's own API.
gcloud scheduler jobs "$change" http "$JOB" --location="$SCHEDULER_REGION" --schedule="$SCHEDULE" --time-zone=Etc/UTC \
    --uri="https://run.googleapis.com/v2/projects/$COLDROLL_PROJECT/locations/$REGION/jobs/$JOB:run" --http-method=post \
    --oauth-service-account-email="$CALLER" --max-retry-attempts=3
say "Cloud Scheduler starts $JOB at '$SCHEDULE' (UTC)."
