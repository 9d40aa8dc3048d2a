#!/usr/bin/env bash
# Makes the two service accounts: one that archives, and one that may do nothing but start it. Safe to repeat.
# Neither gets a key file: Google's machines know who they are.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

there gcloud iam service-accounts describe "$WORKER" ||
    gcloud iam service-accounts create coldroll --display-name="coldroll: archives"
there gcloud iam service-accounts describe "$CALLER" ||
    gcloud iam service-accounts create coldroll-scheduler --display-name="coldroll: starts the job"
# What it may do with the secrets and the buckets is said where those are made.
patiently gcloud projects add-iam-policy-binding "$COLDROLL_PROJECT" --member="serviceAccount:$WORKER" \
    --role=roles/cloudsql.client --condition=None
say "The service accounts $WORKER and $CALLER are there."
