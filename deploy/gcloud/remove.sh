#!/usr/bin/env bash
# Takes away the schedule, the job and the image. Photos, ledger, login and key stay. Safe to repeat.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

! there gcloud scheduler jobs describe "$JOB" --location="$SCHEDULER_REGION" ||
    gcloud scheduler jobs delete "$JOB" --location="$SCHEDULER_REGION"
! there gcloud run jobs describe "$JOB" --region="$REGION" || gcloud run jobs delete "$JOB" --region="$REGION"
! there gcloud artifacts repositories describe coldroll --location="$REGION" ||
    gcloud artifacts repositories delete coldroll --location="$REGION"
say "What still costs money is the database, and it is all that knows what is missing in the archive: move the ledger home first
(coldroll move, see README), or keep a dump. Then:
    gcloud sql instances patch $INSTANCE --no-deletion-protection
    gcloud sql instances delete $INSTANCE"
