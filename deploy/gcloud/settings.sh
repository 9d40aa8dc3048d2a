#!/usr/bin/env bash
# Read by the scripts beside it: what they work on. Each line is a default; the environment wins.
#
#   export COLDROLL_PROJECT=my-project-id            the only one without a default
set -euo pipefail

: "${COLDROLL_PROJECT:?set it to the ID of your Google Cloud project: export COLDROLL_PROJECT=my-project-id}"
# Where everything is: database, job, and the buckets that coldroll setup makes. Traffic between them costs nothing within one region.
: "${REGION:=europe-north1}"
# Cloud Scheduler is not in every region; it may be in another one than the job.
: "${SCHEDULER_REGION:=europe-west1}"
: "${COLDROLL_ARCHIVE:=gs://$COLDROLL_PROJECT-archive}"
: "${COLDROLL_STATE:=gs://$COLDROLL_PROJECT-state}"
: "${COLDROLL_SOURCE:=library}"
: "${COLDROLL_ACCOUNT:=default}"
# The database's instance and its size: the smallest shared one that there is.
: "${INSTANCE:=coldroll}"
: "${TIER:=db-f1-micro}"
: "${JOB:=coldroll}"
# How many tasks a run has: each is a worker, and they share the work.
: "${TASKS:=1}"
# When it runs, in UTC. While a first import goes on, once a day: "0 9 * * *", an hour or two after Google's quotas are new.
: "${SCHEDULE:=0 3 1 * *}"
: "${IMAGE:=$REGION-docker.pkg.dev/$COLDROLL_PROJECT/coldroll/coldroll:latest}"

# The last two are of no use to coldroll itself, but to the scripts that source this file.
export COLDROLL_PROJECT COLDROLL_ARCHIVE COLDROLL_STATE COLDROLL_SOURCE COLDROLL_ACCOUNT
export CONNECTION="$COLDROLL_PROJECT:$REGION:$INSTANCE"
export WORKER="coldroll@$COLDROLL_PROJECT.iam.gserviceaccount.com"
export CALLER="coldroll-scheduler@$COLDROLL_PROJECT.iam.gserviceaccount.com"
# For all scripts the same project, whatever gcloud's own default is, and no question that nobody answers.
export CLOUDSDK_CORE_PROJECT=$COLDROLL_PROJECT CLOUDSDK_CORE_DISABLE_PROMPTS=1
# gcloud writes the values of all flags to its log files, a password from a file of flags too.
export CLOUDSDK_CORE_DISABLE_FILE_LOGGING=1

say() { printf '%s\n' "$*" >&2; }

# there COMMAND…: whether gcloud can describe it.
there() { "$@" >/dev/null 2>&1; }

# patiently COMMAND…: what was just made is not known everywhere for some seconds.
patiently() {
    local try
    for try in 1 2 3 4 5; do
        if "$@" >/dev/null; then return; fi
        say "Not yet (try $try of 5)."
        sleep "${PAUSE:-10}"
    done
    "$@" >/dev/null
}
