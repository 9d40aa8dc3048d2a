/*
 * Claim, start, heartbeat, reap, complete and release as the database and two workers see them, with two jobs.
 *
 * What may go wrong, each a bounded number of times (a claim more for each, so the bounds end the search): a worker
 * crashes at any step; the answer to a claim, a start or a completion is lost after its commit; a worker that lives is
 * taken for dead; a job is given back; the database fails over to an asynchronous replica and forgets the last
 * transactions, lease numbers and registrations included.
 *
 * What must hold: see the assertions, and the claim `ends`. Each protection can be taken out, and then something must
 * break (check runs every one):
 *   -DNO_LEASE   a completion is matched by its part alone
 *   -DNO_WORKER  by part and lease, without the worker's number
 *   -DNO_LOOKUP  a completion that finds no job counts as refused without a look at what the ledger says of it
 *   -DNO_ORPHANS a heartbeat does not give back what was claimed and never heard of
 *   -DNO_MARK    a transfer begins before the database knows
 *   -DNO_STARTED a start does not look whether the job is still its worker's
 *   -DNO_PAIR    a mark counts for whatever claim the part has
 */
#define WORKERS 2
#define JOBS 2
#define NUMBERS 6   /* worker numbers ever registered, 0 is nobody; each fault may cost one or, failing over, two */

#ifndef FAULTS
#define FAULTS 2
#endif

#define READY 0
#define RUNNING 1
#define DONE 2

/* The database. */
typedef Job {
    byte state; byte lease; byte owner;
    byte mark_lease; byte mark_owner;   /* the last start that was noted; a claim leaves it */
    byte by_lease; byte by_owner   /* of the completion that was accepted */
}
typedef Database {
    Job job[JOBS];
    byte sequence;
    bool alive[NUMBERS]
}
Database now_;
Database replica;
bool has_replica = false, may_fail_over = true, has_forgotten = false;

/* The workers. */
#define NONE 0
#define WAITS 1     /* claimed ahead */
#define TRANSFERS 2
#define ENDED 3     /* stored, the ledger not heard of yet */
typedef Hand { byte phase; byte lease; bool asked /* to begin it, whatever was heard of that */ }
typedef Worker { Hand hand[JOBS]; byte number }
Worker worker[WORKERS];
byte registered = 0;

byte faults = 0;

#define all_done (now_.job[0].state == DONE && now_.job[1].state == DONE)
#define hand_(j) worker[w].hand[j]
#define row(j) now_.job[j]
#define me worker[w].number
#define mine(j) (row(j).lease == hand_(j).lease && row(j).owner == me)
#ifdef NO_PAIR
#define started(j) (row(j).mark_lease != 0)
#else
#define started(j) (row(j).mark_lease != 0 && row(j).mark_lease == row(j).lease && row(j).mark_owner == row(j).owner)
#endif

inline copy(from, to) {
    d_step {
        i = 0;
        do
        :: i < JOBS ->
            to.job[i].state = from.job[i].state; to.job[i].lease = from.job[i].lease;
            to.job[i].owner = from.job[i].owner;
            to.job[i].mark_lease = from.job[i].mark_lease; to.job[i].mark_owner = from.job[i].mark_owner;
            to.job[i].by_lease = from.job[i].by_lease; to.job[i].by_owner = from.job[i].by_owner; i++
        :: else -> break
        od;
        to.sequence = from.sequence;
        i = 0;
        do
        :: i < NUMBERS -> to.alive[i] = from.alive[i]; i++
        :: else -> break
        od;
        i = 0
    }
}

/* What nobody reads any more must not make states differ. */
inline clear_replica() {
    d_step {
        i = 0;
        do
        :: i < JOBS ->
            replica.job[i].state = 0; replica.job[i].lease = 0; replica.job[i].owner = 0;
            replica.job[i].mark_lease = 0; replica.job[i].mark_owner = 0; replica.job[i].by_lease = 0; replica.job[i].by_owner = 0; i++
        :: else -> break
        od;
        replica.sequence = 0;
        i = 0;
        do
        :: i < NUMBERS -> replica.alive[i] = false; i++
        :: else -> break
        od;
        i = 0
    }
}

/* A new life: everything in hand is forgotten, the number is a fresh one. */
inline register() {
    d_step {
        i = 0;
        do
        :: i < JOBS -> hand_(i).phase = NONE; hand_(i).lease = 0; hand_(i).asked = false; i++
        :: else -> break
        od;
        i = 0;
        registered++;
        assert(registered < NUMBERS);
        me = registered;
        now_.alive[registered] = true
    }
}

inline drop(j) { hand_(j).phase = NONE; hand_(j).lease = 0; hand_(j).asked = false }

/* Every step is one statement of the database's, or one of the worker's own. */
inline steps(j) {
    /* Claim. */
    if
    :: atomic { now_.alive[me] && row(j).state == READY && hand_(j).phase == NONE ->
        now_.sequence++;
        row(j).state = RUNNING; row(j).lease = now_.sequence; row(j).owner = me;
        if
        :: faults < FAULTS -> faults++
        :: hand_(j).phase = WAITS; hand_(j).lease = now_.sequence
        fi }

    /* Start: the mark is committed first. */
#ifdef NO_MARK
    :: atomic { hand_(j).phase == WAITS -> hand_(j).phase = TRANSFERS }
    :: atomic { hand_(j).phase == TRANSFERS && mine(j) && row(j).state == RUNNING && !started(j) ->
        row(j).mark_lease = hand_(j).lease; row(j).mark_owner = me; hand_(j).asked = true }
#else
    :: atomic { hand_(j).phase == WAITS ->
        if
#ifdef NO_STARTED
        :: true ->
#else
        :: mine(j) && row(j).state == RUNNING && now_.alive[me] ->
#endif
            assert(mine(j) && row(j).state == RUNNING);
            row(j).mark_lease = hand_(j).lease; row(j).mark_owner = me; hand_(j).asked = true;
            if
            :: faults < FAULTS -> faults++
            :: hand_(j).phase = TRANSFERS
            fi
#ifndef NO_STARTED
        :: else -> drop(j)
#endif
        fi }
#endif
    :: atomic { hand_(j).phase == TRANSFERS -> hand_(j).phase = ENDED }

    /* Complete; repeated until it is answered. */
    :: atomic { hand_(j).phase == ENDED ->
        if
#ifdef NO_LEASE
        :: row(j).state != DONE ->
#else
#ifdef NO_WORKER
        :: row(j).state != DONE && row(j).lease == hand_(j).lease ->
#else
        :: row(j).state != DONE && mine(j) ->
#endif
#endif
            /* Nobody else has claimed it since. */
            assert(row(j).lease == hand_(j).lease && row(j).owner == me);
            row(j).state = DONE; row(j).by_lease = hand_(j).lease; row(j).by_owner = me;
            row(j).lease = 0; row(j).owner = 0; row(j).mark_lease = 0; row(j).mark_owner = 0;
            if
            :: faults < FAULTS -> faults++
            :: drop(j)
            fi
        :: else ->
#ifdef NO_LOOKUP
            assert(!(row(j).state == DONE && row(j).by_lease == hand_(j).lease && row(j).by_owner == me));
#endif
            /* Either the ledger names this very claim, and it counts as accepted, or it is refused. */
            drop(j)
        fi }

    /* Give back what only waits. */
    :: atomic { hand_(j).phase == WAITS && faults < FAULTS ->
        faults++;
        if
        :: mine(j) && row(j).state == RUNNING -> row(j).state = READY
        :: else -> skip
        fi;
        drop(j) }

    /* Heartbeat: what the database has and the worker has not, and the reverse. */
#ifndef NO_ORPHANS
    :: atomic { now_.alive[me] && row(j).state == RUNNING && row(j).owner == me && hand_(j).phase == NONE ->
        row(j).state = READY }
#endif
    :: atomic { now_.alive[me] && (hand_(j).phase == WAITS || hand_(j).phase == TRANSFERS) && !(mine(j) && row(j).state == RUNNING) -> drop(j) }
    fi
}

proctype work(byte w) {
    byte i = 0;
    atomic { register() };
    do
    :: steps(0)
    :: steps(1)
    /* The database gave up on this worker, or has forgotten it. */
    :: atomic { !now_.alive[me] -> register() }
    :: atomic { faults < FAULTS && registered + 1 < NUMBERS ->
        faults++;
        /* Whom the reaper will blame is known, whenever the transfer began; but a failover may forget that. */
        assert(!(hand_(0).phase == TRANSFERS && mine(0) && row(0).state == RUNNING) || started(0) || has_forgotten);
        assert(!(hand_(1).phase == TRANSFERS && mine(1) && row(1).state == RUNNING) || started(1) || has_forgotten);
        /* What only waits is innocent. */
        assert(!(hand_(0).phase == WAITS && !hand_(0).asked && mine(0) && row(0).state == RUNNING) || !started(0));
        assert(!(hand_(1).phase == WAITS && !hand_(1).asked && mine(1) && row(1).state == RUNNING) || !started(1));
        register() }
    :: all_done && !has_replica && hand_(0).phase == NONE && hand_(1).phase == NONE -> break
    od
}

#define lives(n) (worker[0].number == n || worker[1].number == n)

/* Any process: gives up on workers that are silent, or seem to be, and takes back the jobs of those that are gone. */
#define silent(n) (now_.alive[n] && !lives(n))
#define seems_silent(n) (now_.alive[n] && lives(n) && faults < FAULTS)
proctype reap() {
    do
    :: atomic { silent(1) -> now_.alive[1] = false }
    :: atomic { silent(2) -> now_.alive[2] = false }
    :: atomic { silent(3) -> now_.alive[3] = false }
    :: atomic { silent(4) -> now_.alive[4] = false }
    :: atomic { silent(5) -> now_.alive[5] = false }
    :: atomic { seems_silent(worker[0].number) -> faults++; now_.alive[worker[0].number] = false }
    :: atomic { seems_silent(worker[1].number) -> faults++; now_.alive[worker[1].number] = false }
    :: atomic { row(0).state == RUNNING && !now_.alive[row(0).owner] -> row(0).state = READY }
    :: atomic { row(1).state == RUNNING && !now_.alive[row(1).owner] -> row(1).state = READY }
    :: all_done && !has_replica -> break
    od
}

proctype replicate() {
    byte i = 0;
    do
    :: atomic { may_fail_over && faults < FAULTS -> faults++; may_fail_over = false; has_replica = true;
        copy(now_, replica) }
    :: atomic { has_replica -> has_replica = false; has_forgotten = true; copy(replica, now_); clear_replica() }
    :: all_done && !has_replica -> break
    od
}

init {
    atomic { run work(0); run work(1); run reap(); run replicate() }
}

/* Faults are bounded, so in the end both parts are stored, whatever happened. */
ltl ends { <> all_done }
