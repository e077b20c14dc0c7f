-- Text ids, integer microseconds, the part of SQL that SQLite, PostgreSQL and CockroachDB share.

CREATE TABLE workflows (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  state BIGINT NOT NULL,
  reason TEXT NOT NULL,
  started_us BIGINT NOT NULL,
  ended_us BIGINT NOT NULL,
  -- Rises with each change, so that who watches sees that there was one.
  revision BIGINT NOT NULL
);
CREATE INDEX workflows_newest ON workflows (started_us);
CREATE INDEX workflows_of_subject ON workflows (subject, started_us);

CREATE TABLE tasks (
  workflow TEXT NOT NULL,
  name TEXT NOT NULL,
  -- The order in which the workflow was given its tasks.
  seq BIGINT NOT NULL,
  type TEXT NOT NULL,
  params TEXT NOT NULL,
  pool TEXT NOT NULL,
  tool TEXT NOT NULL,
  affinity TEXT NOT NULL,
  max_attempts BIGINT NOT NULL,
  timeout_ms BIGINT NOT NULL,
  rank BIGINT NOT NULL,
  workflow_started_us BIGINT NOT NULL,
  state BIGINT NOT NULL,
  -- Dependencies that are not done.
  waits BIGINT NOT NULL,
  key TEXT NOT NULL DEFAULT '',
  -- 1 while an output of this key is known: the task is not leased but ended with that.
  found BIGINT NOT NULL DEFAULT 0,
  attempt BIGINT NOT NULL DEFAULT 0,
  failures BIGINT NOT NULL DEFAULT 0,
  lost_workers BIGINT NOT NULL DEFAULT 0,
  progress DOUBLE PRECISION NOT NULL DEFAULT 0,
  note TEXT NOT NULL DEFAULT '',
  worker TEXT NOT NULL DEFAULT '',
  -- Stays after the task ended, so that a repeated Complete is answered alike.
  lease TEXT NOT NULL DEFAULT '',
  lease_until_us BIGINT NOT NULL DEFAULT 0,
  deadline_us BIGINT NOT NULL DEFAULT 0,
  started_us BIGINT NOT NULL DEFAULT 0,
  ended_us BIGINT NOT NULL DEFAULT 0,
  not_before_us BIGINT NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '',
  diagnostics TEXT NOT NULL DEFAULT '',
  reused BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (workflow, name)
);
CREATE INDEX tasks_to_lease ON tasks (state, found, pool, type, rank, workflow_started_us, seq);
CREATE INDEX tasks_of_state ON tasks (workflow, state);
CREATE INDEX tasks_of_batch ON tasks (workflow, type, affinity, state);
CREATE INDEX tasks_of_key ON tasks (key, state);
CREATE INDEX tasks_of_lease ON tasks (lease);
CREATE INDEX tasks_expiring ON tasks (state, lease_until_us);
CREATE INDEX tasks_due ON tasks (state, not_before_us);

CREATE TABLE dependencies (
  workflow TEXT NOT NULL,
  task TEXT NOT NULL,
  needs TEXT NOT NULL,
  at BIGINT NOT NULL,
  PRIMARY KEY (workflow, task, needs)
);
CREATE INDEX dependencies_of ON dependencies (workflow, needs);

-- What was made, by key: an Outcome of the contract, with the tasks that it spawns.
CREATE TABLE outputs (
  key TEXT NOT NULL PRIMARY KEY,
  type TEXT NOT NULL,
  outcome BYTEA NOT NULL,
  made_us BIGINT NOT NULL
);
