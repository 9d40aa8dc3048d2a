#!/usr/bin/env bash
# Turns on the Google APIs that coldroll and the other scripts use. Safe to repeat.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

there gcloud auth print-access-token || {
    say "gcloud does not know you: run 'gcloud auth login'."
    exit 1
}
# Photos first: an OAuth client of the same project is to use them.
gcloud services enable photoslibrary.googleapis.com photospicker.googleapis.com
gcloud services enable storage.googleapis.com sqladmin.googleapis.com secretmanager.googleapis.com \
    artifactregistry.googleapis.com cloudbuild.googleapis.com run.googleapis.com cloudscheduler.googleapis.com
say "The APIs are on in $COLDROLL_PROJECT."
