#!/usr/bin/env bash
# Builds coldroll's image on Google's machines and puts it into a registry of the project. About a quarter of an hour.
# Safe to repeat: after each update of coldroll.
set -euo pipefail
source "$(dirname "$0")/settings.sh"

there gcloud artifacts repositories describe coldroll --location="$REGION" ||
    gcloud artifacts repositories create coldroll --location="$REGION" --repository-format=docker
gcloud builds submit "$(dirname "$0")/../.." --tag="$IMAGE" --timeout=3600s
say "The image is there: $IMAGE."
