#!/usr/bin/env bash
# Starts a run now, and says how to look at it. One that goes on already is joined.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

gcloud run jobs execute "$JOB" --region="$REGION" --async
say "How it goes:
    deploy/gcloud/coldroll.sh status
    gcloud run jobs executions list --job=$JOB --region=$REGION
    gcloud run jobs logs read $JOB --region=$REGION"
