-- Rules as they are now; their versions are in the log.
create table rules (
  rule uuid primary key,
  version integer not null,
  city text not null,
  name text not null,
  -- drafted, live, paused, retired
  status text not null,
  -- since when it watches, where it is live
  since timestamptz,
  definition json not null,
  changed timestamptz not null,
  -- where its last decision stands: whoever watches sees by it that something is new
  place bigint not null
);
create index rules_place on rules (place);
create index rules_changed on rules (changed desc, rule);

-- What follows belongs to whoever watches for the rules; no replay touches it.

-- Readings that live rules may still need: for each time the one with the highest offset.
create table rule_readings (
  datastream bigint not null,
  time timestamptz not null,
  -- null: withdrawn
  result double precision,
  plausible boolean not null,
  place bigint not null,
  primary key (datastream, time)
);

-- The next event wanted of each partition of the topics of readings.
create table rule_positions (
  topic text not null,
  partition integer not null,
  position bigint not null,
  primary key (topic, partition)
) with (fillfactor = 20);

-- What was found of each rule, and the hint that it has raised. It stands here before the hint is decided, so that a process that dies in between leaves
-- word of it.
create table rule_watches (
  rule uuid primary key,
  version integer not null,
  state json not null,
  hint uuid,
  finding json,
  -- what raised the hint no longer holds
  cleared boolean not null
) with (fillfactor = 50);
